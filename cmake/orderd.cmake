# What every target of this project has in common: warnings, sanitizers, and the shape "one folder = one target".

# ccache knows by -fpch-preprocess which headers a precompiled one holds; the rest it is asked not to doubt.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Werror)
add_compile_options($<$<COMPILE_LANGUAGE:C>:-Wno-non-virtual-dtor>)
# Behind a precompiled header g++ 12 warns of std::string's own code (GCC bugs 105329, 105651).
add_compile_options("$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overflow;-Wno-stringop-overread>")
if(ORDERD_FAULTS)
  add_compile_definitions(ORDERD_FAULTS)
endif()
if(ORDERD_SANITIZE)
  add_compile_options(-fsanitize=${ORDERD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ORDERD_SANITIZE})
endif()

# Precompiled headers. A header serves sources that are compiled alike: so programs are position-independent as
# libraries are, and everything has Poco's definitions. Tests have a second one, with Catch2; plugins a third, since
# they hide their symbols.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE -fPIC)
get_target_property(poco_definitions Poco::Foundation INTERFACE_COMPILE_DEFINITIONS)
add_compile_definitions("$<$<COMPILE_LANGUAGE:CXX>:${poco_definitions}>")
set(ORDERD_STANDARD_HEADERS <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable> <cstdint> <cstring>
  <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional> <set> <span> <sstream> <stop_token> <string>
  <string_view> <thread> <tuple> <unordered_map> <variant> <vector>)
# orderd_precompiled(NAME HEADER...): makes one. orderd_precompile(TARGET NAME): uses it.
function(orderd_precompiled name)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${name}.cpp CONTENT "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cpp)
  target_precompile_headers(${name} PRIVATE ${ORDERD_STANDARD_HEADERS} ${ARGN})
endfunction()
function(orderd_precompile target name)
  target_precompile_headers(${target} REUSE_FROM ${name})
endfunction()
orderd_precompiled(orderd_headers <rapidjson/document.h>)

# orderd_module(saga LINKS ...): the static library of the folder that calls it, from every .cpp in it and in the folders
# named as ROOMS, not below them. A folder of headers alone becomes an interface library.
function(orderd_module name)
  cmake_parse_arguments(ARG "" "" "LINKS;ROOMS" ${ARGN})
  list(TRANSFORM ARG_ROOMS REPLACE "(.+)" "${CMAKE_CURRENT_SOURCE_DIR}/\\1/*.cpp")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp ${ARG_ROOMS})
  if(NOT sources)  # a port: headers only
    add_library(orderd_${name} INTERFACE)
    target_include_directories(orderd_${name} INTERFACE ${PROJECT_SOURCE_DIR}/host)
    target_link_libraries(orderd_${name} INTERFACE ${ARG_LINKS})
    return()
  endif()
  add_library(orderd_${name} STATIC ${sources})
  target_include_directories(orderd_${name} PUBLIC ${PROJECT_SOURCE_DIR}/host)
  target_link_libraries(orderd_${name} PUBLIC ${ARG_LINKS} Threads::Threads)
  orderd_precompile(orderd_${name} orderd_headers)
endfunction()

# orderd_tests(unit LINKS ...): one Catch2 program from every .cpp below the folder, run by ctest as one suite.
function(orderd_tests name)
  cmake_parse_arguments(ARG "" "" "LINKS;ENVIRONMENT" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/(functional/support/test_database|front/raw_client)\\.cpp$")
  add_executable(test_${name} ${sources})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/host ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${name} PRIVATE orderd_catch_main ${ARG_LINKS})
  orderd_precompile(test_${name} orderd_test_headers)
  if(ORDERD_SANITIZE)  # the tests' own code need not be quick, and half of its compile time is optimisation
    target_compile_options(test_${name} PRIVATE -O0)
  endif()
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 900 ENVIRONMENT "${ARG_ENVIRONMENT}")
endfunction()
