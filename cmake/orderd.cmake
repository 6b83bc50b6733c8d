# What every target of this project has in common: warnings, sanitizers, and the shape "one folder = one target".

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Werror)
add_compile_options($<$<COMPILE_LANGUAGE:C>:-Wno-non-virtual-dtor>)
if(ORDERD_FAULTS)
  add_compile_definitions(ORDERD_FAULTS)
endif()
if(ORDERD_SANITIZE)
  add_compile_options(-fsanitize=${ORDERD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ORDERD_SANITIZE})
endif()

# orderd_module(saga LINKS ...): the static library of the folder that calls it, from every .cpp in it (not below it). A
# folder of headers alone becomes an interface library.
function(orderd_module name)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)  # a port: headers only
    add_library(orderd_${name} INTERFACE)
    target_include_directories(orderd_${name} INTERFACE ${PROJECT_SOURCE_DIR}/host)
    target_link_libraries(orderd_${name} INTERFACE ${ARG_LINKS})
    return()
  endif()
  add_library(orderd_${name} STATIC ${sources})
  target_include_directories(orderd_${name} PUBLIC ${PROJECT_SOURCE_DIR}/host)
  target_link_libraries(orderd_${name} PUBLIC ${ARG_LINKS} Threads::Threads)
  target_precompile_headers(orderd_${name} PRIVATE <algorithm> <array> <atomic> <chrono> <cstdint> <functional> <map>
    <memory> <mutex> <optional> <span> <string> <string_view> <thread> <unordered_map> <variant> <vector>)
endfunction()

# orderd_tests(unit LINKS ...): one Catch2 program from every .cpp below the folder, run by ctest as one suite.
function(orderd_tests name)
  cmake_parse_arguments(ARG "" "" "LINKS;ENVIRONMENT" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_executable(test_${name} ${sources})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/host ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${name} PRIVATE orderd_catch_main ${ARG_LINKS})
  if(ORDERD_SANITIZE)  # the tests' own code need not be quick, and half of its compile time is optimisation
    target_compile_options(test_${name} PRIVATE -O0)
  endif()
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 900 ENVIRONMENT "${ARG_ENVIRONMENT}")
endfunction()
