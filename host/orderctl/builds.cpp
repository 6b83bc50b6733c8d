// orderctl plugin install, list, switch, rollback, drain: replaces plugins while hosts run.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <thread>

#include "admin/install.h"
#include "app/wiring.h"
#include "model/json.h"
#include "orderctl/given.h"

namespace orderd::ctl {
namespace {

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
  const std::string& instance = given.words[0];
  admin::InstallWish wish;
  wish.forced = given.flag("--force");
  wish.wish = {instance, "", actor(), wish.forced ? given.reason() : given.option("--reason").value_or("")};
  wish.plugin = instance_config(instance, plugin_of(context, instance));
  wish.file = std::filesystem::absolute(given.words[1]);
  context.become_service_user();  // before the check: a plugin may know PostgreSQL by the user's name
  const auto connect = [&]() -> store::Connection& { return context.connection(); };
  const auto told = [&](const std::string& line) {
    if (!context.json()) std::cout << line << "\n" << std::flush;
  };
  wish.present = library_source(context.settings());
  auto answer = admin::install(std::move(wish), build_store(context.settings()), connect, told);
  if (answer.kind == admin::BuildAnswer::Kind::refused)
    answer.text += "\norderctl: it is not installed; --force with --reason installs it all the same";
  return show(context, answer);
}

int list(Context& context, const Words& words) {
  const Given given(words, {});
  if (given.words.size() > 1) throw UsageError("plugin list takes one INSTANCE");
  store::Report report{{"instance", "digest", "plugin", "version", "state", "use", "orders", "hosts", "added",
                        "by", "problem"},
                       {},
                       {"orders", "hosts"}};
  for (const auto& one : admin::builds(context.connection(), given.words.empty() ? "" : given.words[0]))
    report.rows.push_back({one.instance, context.json() ? one.digest : one.digest.substr(0, 12), one.plugin,
                           one.version, one.state,
                           one.current    ? "current"
                           : one.previous ? "previous"
                                          : "",
                           std::to_string(one.orders), std::to_string(one.hosts), to_rfc3339(one.added_at),
                           one.added_by, one.problem});
  if (report.rows.empty() && !given.words.empty()) (void)plugin_of(context, given.words[0]);
  return context.print(report), 0;
}

admin::BuildRequest wish_of(const Given& given, std::size_t count, const char* needs) {
  if (given.words.size() != count) throw UsageError(needs);
  return {given.words[0], count > 1 ? given.words[1] : "", actor(), given.reason()};
}

/// Waits until each host that ran when it was decided has done it, or says why it does not. One that says
/// nothing any more is loading it, or was ended by it.
int watch(Context& context, const std::string& instance, const std::string& digest) {
  constexpr Millis longest{60'000}, step{200};
  const Time begin = now();
  std::map<std::string, admin::HostOfBuild> hosts;
  const auto unsettled = [&] {
    for (auto& one : admin::hosts_of(context.connection(), instance, digest, now() - begin))
      hosts[one.host] = std::move(one);
    return std::any_of(hosts.begin(), hosts.end(),
                       [](const auto& one) { return !one.second.uses && one.second.problem.empty(); });
  };
  while (unsettled() && now() - begin < longest) std::this_thread::sleep_for(step);
  std::int64_t users = 0;
  for (const auto& [host, one] : hosts) {
    users += one.uses;
    if (!one.uses)
      std::cerr << "orderctl: host " << host
                << (one.problem.empty() ? " has not been heard of since: its log says why"
                                        : " goes on with the old build: " + one.problem)
                << "\n";
  }
  const bool all = users == static_cast<std::int64_t>(hosts.size());
  if (context.json()) return !all;
  if (hosts.empty())
    std::cout << "no host runs; those that start will use it\n";
  else
    std::cout << users << " of " << hosts.size() << " hosts send new orders to it\n";
  return !all;
}

int decided(Context& context, const Given& given, const admin::BuildAnswer& answer) {
  const int status = show(context, answer);
  return status != 0 || given.flag("--no-wait") ? status : watch(context, given.words[0], answer.digest);
}

int change(Context& context, const Words& words) {
  const Given given(words, {"--reason"}, {"--no-wait"});
  return decided(context, given,
                 admin::switch_build(context.connection(),
                                     wish_of(given, 2, "plugin switch needs INSTANCE and DIGEST")));
}

int roll_back(Context& context, const Words& words) {
  const Given given(words, {"--reason"}, {"--no-wait"});
  return decided(context, given,
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
      {"plugin switch", "INSTANCE DIGEST --reason TEXT [--no-wait]",
       "new orders go to that build, those in flight end with their own; waits for the hosts", change},
      {"plugin rollback", "INSTANCE --reason TEXT [--no-wait]", "new orders go to the build before",
       roll_back},
      {"plugin drain", "INSTANCE DIGEST --reason TEXT [--now]",
       "stops a build when no order needs it; --now refuses while one does", drain},
  };
}

}  // namespace orderd::ctl
