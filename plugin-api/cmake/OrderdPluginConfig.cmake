# find_package(OrderdPlugin REQUIRED): orderd_add_plugin() and the headers, as a package installed them.
#
#   cmake_minimum_required(VERSION 3.25)
#   project(fraud CXX)
#   find_package(OrderdPlugin REQUIRED)
#   orderd_add_plugin(fraud SOURCES fraud.cpp)
include(GNUInstallDirs)
find_path(ORDERD_PLUGIN_INCLUDE_DIR orderd/plugin.h HINTS ${CMAKE_CURRENT_LIST_DIR}/../../../include
  ${CMAKE_CURRENT_LIST_DIR}/../../../../include REQUIRED)
if(NOT TARGET orderd_plugin_api)
  add_library(orderd_plugin_api INTERFACE IMPORTED)
  target_include_directories(orderd_plugin_api INTERFACE ${ORDERD_PLUGIN_INCLUDE_DIR})
  target_compile_features(orderd_plugin_api INTERFACE cxx_std_17)
endif()
include(${CMAKE_CURRENT_LIST_DIR}/OrderdPlugin.cmake)
