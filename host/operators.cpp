#include "operators.h"

#include <optional>

#include "admin/install.h"
#include "wiring.h"

namespace orderd {
namespace {

admin::BuildAnswer install(const config::Settings& settings, const plugins::BuildStore& builds,
                           store::Pool& pool, const admin::BuildWish& wish, const std::string& file,
                           bool forced) {
  using Kind = admin::BuildAnswer::Kind;
  const auto found = settings.plugins.find(wish.instance);
  if (found == settings.plugins.end())
    return {Kind::unknown, "", "no plugin is configured as " + wish.instance};
  try {
    const auto judged = plugins::judge_library(wish.instance, library_source(settings), file);
    std::optional<decltype(pool.acquire())> connection;
    const auto connect = [&]() -> store::Connection& {
      connection.emplace(pool.acquire());
      return **connection;
    };
    return admin::install({wish, instance_config(wish.instance, found->second), judged.path, forced}, builds,
                          connect, [](const std::string&) {});
  } catch (const store::DbError&) { throw; } catch (const std::runtime_error& error) {
    return {Kind::refused, "", error.what()};
  }
}

}  // namespace

http::AdminParts admin_parts(const config::Settings& settings, plugins::Registry& registry,
                             const saga::Definition& definition, store::Pool& pool) {
  return {saga::Served(saga_slots(settings, registry, definition)).infos,
          [&registry] { return registry.infos(); },
          [&settings, &registry, &pool](const admin::BuildWish& wish, const std::string& file, bool forced) {
            return install(settings, registry.builds(), pool, wish, file, forced);
          }};
}

}  // namespace orderd
