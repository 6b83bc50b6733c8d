// A plugin's own tables (migrations.h).
#ifndef ORDERD_SDK_MIGRATIONS_HPP
#define ORDERD_SDK_MIGRATIONS_HPP

#include <orderd/migrations.h>

#include <vector>

#include "box.hpp"

namespace orderd::sdk {

class Migrations {
 public:
  virtual ~Migrations() = default;
  /// In order of number, with texts in static storage. The vector lives as long as the instance.
  virtual const std::vector<orderd_migration>& migrations() const = 0;
};

template <class T>
struct Tables<T, Migrations> {
  static const void* find(const char* id) {
    static const orderd_migrations_v1 table = {list};
    return std::strcmp(id, ORDERD_EXT_MIGRATIONS) == 0 ? &table : nullptr;
  }
  static const orderd_migration* list(orderd_plugin* plugin, std::uint32_t* count) {
    const std::vector<orderd_migration>* all = nullptr;
    guarded(nullptr, [&] { all = &self<T>(plugin).migrations(); });
    *count = all ? static_cast<std::uint32_t>(all->size()) : 0;
    return all && !all->empty() ? all->data() : nullptr;
  }
};

}  // namespace orderd::sdk
#endif
