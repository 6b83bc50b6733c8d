// The C++ side of plugin.h: a plugin is a class, and its constructor is init().
//
//   class Fraud final : public orderd::sdk::SagaStep {
//    public:
//     explicit Fraud(orderd::sdk::Host host) : host_(host) { host.refuse_unknown_settings({"limit"}); }
//     …
//   };
//   ORDERD_PLUGIN(Fraud, "fraud", "1.0.0", "Example GmbH")
//
// 1. The class derives from the bases of what it can do (SagaStep, PaymentProvider, TransactionalStep,
//    InventoryBackend, Projection, Catalog, Migrations, Webhooks); the macro finds out which, and makes the
//    tables.
// 2. The constructor reads and checks settings, and throws a std::exception whose text says what to do. If
//    the class has start() or stop(), they are called; stop() joins every thread the instance made. A
//    `static constexpr const char* settings_schema = R"({…})"` has the host check them before (settings.h).
// 3. No exception leaves: an external command whose call throws is UNKNOWN; a transactional call that
//    throws fails, and the host rolls it back.
#ifndef ORDERD_SDK_PLUGIN_HPP
#define ORDERD_SDK_PLUGIN_HPP

#include <orderd/plugin.h>

#include <new>
#include <type_traits>

#include "box.hpp"
#include "catalog.hpp"
#include "inventory.hpp"
#include "migrations.hpp"
#include "payment.hpp"
#include "projection.hpp"
#include "step.hpp"
#include "webhook.hpp"

namespace orderd::sdk {

template <class T>
class Entry {
 public:
  /// T::settings_schema, if the class has one.
  static constexpr const char* schema() { return schema_of<T>(0); }
  static orderd_plugin* create(const orderd_host* host) {
    auto* box = new (std::nothrow) Box<T>;
    if (!box) return nullptr;
    ORDERD_CLEAR(box->abi);
    box->abi.plugin_data = box;
    box->abi.init = init;
    box->abi.start = start;
    box->abi.stop = stop;
    box->abi.destroy = destroy;
    box->abi.get_extension = get_extension;
    box->host = host;
    return &box->abi;
  }

 private:
  template <class U>
  static constexpr auto schema_of(int) -> decltype(U::settings_schema, static_cast<const char*>(nullptr)) {
    return U::settings_schema;
  }
  template <class U>
  static constexpr const char* schema_of(long) {
    return nullptr;
  }
  static orderd_status init(orderd_plugin* plugin, orderd_error* error) {
    return guarded(error,
                   [&] { Box<T>::of(plugin).instance = std::make_unique<T>(Host(Box<T>::of(plugin).host)); });
  }
  static orderd_status start(orderd_plugin* plugin, orderd_error* error) {
    return guarded(error, [&] { call_start(self<T>(plugin), 0); });
  }
  static void stop(orderd_plugin* plugin) {
    guarded(nullptr, [&] { call_stop(self<T>(plugin), 0); });
  }
  static void destroy(orderd_plugin* plugin) { delete &Box<T>::of(plugin); }

  template <class U>
  static auto call_start(U& instance, int) -> decltype(instance.start()) {
    return instance.start();
  }
  template <class U>
  static void call_start(U&, long) {}
  template <class U>
  static auto call_stop(U& instance, int) -> decltype(instance.stop(), void()) {
    instance.stop();
  }
  template <class U>
  static void call_stop(U&, long) {}

  static const void* get_extension(orderd_plugin*, const char* id) {
    const void* table = nullptr;
    if constexpr (std::is_base_of_v<SagaStep, T>) table = table ? table : Tables<T, SagaStep>::find(id);
    if constexpr (std::is_base_of_v<TransactionalStep, T>)
      table = table ? table : Tables<T, TransactionalStep>::find(id);
    if constexpr (std::is_base_of_v<Projection, T>) table = table ? table : Tables<T, Projection>::find(id);
    if constexpr (std::is_base_of_v<Catalog, T>) table = table ? table : Tables<T, Catalog>::find(id);
    if constexpr (std::is_base_of_v<Migrations, T>) table = table ? table : Tables<T, Migrations>::find(id);
    if constexpr (std::is_base_of_v<Webhooks, T>) table = table ? table : Tables<T, Webhooks>::find(id);
    return table;
  }
};

}  // namespace orderd::sdk

/// Once per library, at file scope: the one symbol it exports.
#define ORDERD_PLUGIN(Class, name, version, vendor)                                    \
  ORDERD_EXPORT const orderd_descriptor* orderd_plugin_entry_v1(void) {                \
    static const orderd_descriptor descriptor = {sizeof(orderd_descriptor),            \
                                                 ORDERD_ABI_MAJOR,                     \
                                                 ORDERD_ABI_MINOR,                     \
                                                 0,                                    \
                                                 name,                                 \
                                                 version,                              \
                                                 vendor,                               \
                                                 orderd::sdk::Entry<Class>::create,    \
                                                 orderd::sdk::Entry<Class>::schema()}; \
    return &descriptor;                                                                \
  }

#endif
