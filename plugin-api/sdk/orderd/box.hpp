// What the tables of C functions stand on: the way from an orderd_plugin back to the instance.
#ifndef ORDERD_SDK_BOX_HPP
#define ORDERD_SDK_BOX_HPP

#include <orderd/plugin.h>

#include <memory>

#include "barrier.hpp"
#include "host.hpp"

namespace orderd::sdk {

/// Specialised beside each base: `static const void* find(const char* id)` gives its table for plugin class
/// T.
template <class T, class Base>
struct Tables;

/// Behind each orderd_plugin: the host, and the instance once init() made it.
template <class T>
struct Box {
  orderd_plugin abi{};
  const orderd_host* host = nullptr;
  std::unique_ptr<T> instance;

  static Box& of(orderd_plugin* plugin) { return *static_cast<Box*>(plugin->plugin_data); }
};

/// The instance behind a call of the host.
template <class T>
T& self(orderd_plugin* plugin) {
  return *Box<T>::of(plugin).instance;
}

}  // namespace orderd::sdk
#endif
