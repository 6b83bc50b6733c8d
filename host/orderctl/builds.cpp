// orderctl plugin install, list, switch, rollback, drain: replaces plugins while hosts run.
#include "admin/builds.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "model/json.h"
#include "orderctl/given.h"
#include "plugin_host/build_store.h"
#include "plugin_host/error.h"
#include "wiring.h"

namespace orderd::ctl {
namespace {

/// Fails the verb with what was found, unless the checker finds nothing. Checks that have an effect at the
/// provider are left out: the instance's settings may be those of real money.
void judge(const std::filesystem::path& file, const config::PluginSettings& plugin) {
  const int settings = memfd_create("settings", 0);  // not on a command line, which others can see
  for (const auto* values : {&plugin.settings, &plugin.secret_values})
    for (const auto& [key, value] : *values)
      if (dprintf(settings, "%s=%s\n", key.c_str(), value.c_str()) < 0) throw std::runtime_error("no memory");
  const std::string from = "/proc/self/fd/" + std::to_string(settings);
  std::cout << "checking " << file.string() << "\n" << std::flush;
  const pid_t child = fork();
  if (child == 0) {
    std::error_code none;
    const auto beside =
        std::filesystem::read_symlink("/proc/self/exe", none).parent_path() / "orderd-plugin-check";
    for (const char* program : {beside.c_str(), "orderd-plugin-check"})
      execlp(program, "orderd-plugin-check", "--only", "entry.", "--only", "life.", "--settings",
             from.c_str(), file.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  close(settings);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    throw std::runtime_error(
        "there is no orderd-plugin-check here to judge it: install the package orderd-plugin-dev, or give "
        "--force and --reason");
  throw std::runtime_error(
      "the plugin did not pass orderd-plugin-check and is not installed; --force with --reason installs it "
      "all "
      "the same");
}

const config::PluginSettings& plugin_of(Context& context, const std::string& instance) {
  const auto& all = context.settings().plugins;
  if (const auto found = all.find(instance); found != all.end()) return found->second;
  throw UsageError("no plugin is configured as " + instance + ": set plugin." + instance + ".library");
}

int show(Context& context, const admin::BuildAnswer& answer) {
  if (answer.kind != admin::BuildAnswer::Kind::done) {
    std::cerr << "orderctl: " << answer.text << "\n";
    return 1;
  }
  if (context.json()) {
    std::string out;
    json::Object object(out);
    object.add("digest", answer.digest).add("text", answer.text).end();
    std::cout << out << "\n";
  } else {
    std::cout << answer.text << "\n";
  }
  return 0;
}

int install(Context& context, const Words& words) {
  const Given given(words, {"--reason"}, {"--force"});
  if (given.words.size() != 2) throw UsageError("plugin install needs INSTANCE and FILE");
  const auto& [instance, file] = std::pair(given.words[0], std::filesystem::absolute(given.words[1]));
  const config::PluginSettings& plugin = plugin_of(context, instance);
  const bool forced = given.flag("--force");
  admin::BuildWish wish{instance, "", actor(),
                        forced ? given.reason() : given.option("--reason").value_or("")};
  if (!forced) judge(file, plugin);
  const plugins::BuildStore store = build_store(context.settings());
  std::string problem;
  wish.digest = store.keep(file, problem);
  if (wish.digest.empty()) throw std::runtime_error(problem);
  context.become_service_user();
  const auto described = store.describe(instance, wish.digest);
  return show(context, admin::add_build(context.connection(), wish, described.plugin, described.version));
}

int list(Context& context, const Words& words) {
  const Given given(words, {});
  if (given.words.size() > 1) throw UsageError("plugin list takes one INSTANCE");
  store::Report report{{"instance", "digest", "plugin", "version", "state", "use", "orders", "hosts", "added",
                        "by", "problem"},
                       {}};
  for (const auto& one : admin::builds(context.connection(), given.words.empty() ? "" : given.words[0]))
    report.rows.push_back({one.instance, context.json() ? one.digest : one.digest.substr(0, 12), one.plugin,
                           one.version, one.state,
                           one.current    ? "current"
                           : one.previous ? "previous"
                                          : "",
                           std::to_string(one.orders), std::to_string(one.hosts), to_rfc3339(one.added_at),
                           one.added_by, one.problem});
  return context.print(report), 0;
}

admin::BuildWish wish_of(const Given& given, std::size_t count, const char* needs) {
  if (given.words.size() != count) throw UsageError(needs);
  return {given.words[0], count > 1 ? given.words[1] : "", actor(), given.reason()};
}

int change(Context& context, const Words& words) {
  const Given given(words, {"--reason"});
  return show(context, admin::switch_build(context.connection(),
                                           wish_of(given, 2, "plugin switch needs INSTANCE and DIGEST")));
}

int roll_back(Context& context, const Words& words) {
  const Given given(words, {"--reason"});
  return show(context,
              admin::roll_back(context.connection(), wish_of(given, 1, "plugin rollback needs INSTANCE")));
}

int drain(Context& context, const Words& words) {
  const Given given(words, {"--reason"}, {"--now"});
  return show(context, admin::drain_build(context.connection(),
                                          wish_of(given, 2, "plugin drain needs INSTANCE and DIGEST"),
                                          given.flag("--now")));
}

}  // namespace

std::vector<Verb> build_verbs() {
  return {
      {"plugin install", "INSTANCE FILE [--force --reason TEXT]",
       "checks a build and keeps it in the store, for a switch", install},
      {"plugin list", "[INSTANCE]", "builds: which new orders go to, which orders in flight still need",
       list},
      {"plugin switch", "INSTANCE DIGEST --reason TEXT",
       "new orders go to that build; those in flight end with their own", change},
      {"plugin rollback", "INSTANCE --reason TEXT", "new orders go to the build before", roll_back},
      {"plugin drain", "INSTANCE DIGEST --reason TEXT [--now]",
       "stops a build when no order needs it; --now refuses while one does", drain},
  };
}

}  // namespace orderd::ctl
