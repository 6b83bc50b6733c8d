# orderd_add_plugin(simpay SOURCES plugin.cpp provider.cpp [LINKS Threads::Threads])
# makes simpay.so: one exported symbol, nothing undefined, no "lib" in front; installed where the host looks.
# Links orderd_plugin_api itself.

function(orderd_add_plugin name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  add_library(${name} MODULE ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE orderd_plugin_api ${ARG_LINKS})
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".so"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins
    LINK_DEPENDS ${map})
  target_link_options(${name} PRIVATE -Wl,--version-script=${map})
  # A sanitizer's runtime is in the host, not in the plugin: its symbols stay undefined here.
  if(NOT ORDERD_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION lib/orderd/plugins/1 COMPONENT ${name})
endfunction()
