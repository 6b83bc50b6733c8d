#include "app/admin_parts.h"

#include <memory>
#include <mutex>
#include <optional>

#include "admin/install.h"
#include "app/wiring.h"

namespace orderd {
namespace {

admin::BuildAnswer install(const config::Settings& settings, const plugins::BuildStore& builds,
                           store::Pool& pool, const admin::BuildRequest& request, const std::string& file,
                           bool forced) {
  using Kind = admin::BuildAnswer::Kind;
  const auto found = settings.plugins.find(request.instance);
  if (found == settings.plugins.end())
    return {Kind::unknown, "", "no plugin is configured as " + request.instance};
  try {
    const auto judged = plugins::judge_library(request.instance, library_source(settings), file);
    std::optional<decltype(pool.acquire())> connection;
    const auto connect = [&]() -> store::Connection& {
      connection.emplace(pool.acquire());
      return **connection;
    };
    return admin::install({request, instance_config(request.instance, found->second), judged.path, forced,
                           library_source(settings)},
                          builds, connect, [](const std::string&) {});
  } catch (const store::DbError&) { throw; } catch (const std::runtime_error& error) {
    return {Kind::refused, "", error.what()};
  }
}

}  // namespace

http::AdminParts admin_parts(const config::Settings& settings, plugins::Registry& registry,
                             const saga::Definition& definition, store::Pool& pool) {
  return {saga::PluginBindings(saga_slots(settings, registry, definition)).infos,
          [&registry] { return registry.infos(); },
          [&settings, &registry, &pool, judging = std::make_shared<std::mutex>()](
              const admin::BuildRequest& request, const std::string& file, bool forced) {
            // One at a time: the checks may take a minute, and each holds one of the server's workers.
            const std::unique_lock only(*judging, std::try_to_lock);
            if (!only)
              return admin::BuildAnswer{admin::BuildAnswer::Kind::refused, "",
                                        "this host is judging another build: ask again in a moment"};
            return install(settings, registry.builds(), pool, request, file, forced);
          }};
}

}  // namespace orderd
