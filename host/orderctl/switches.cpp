// orderctl switches: pauses the intake, captures, or one plugin instance on all hosts, and resumes them.
#include "admin/switches.h"

#include <iostream>
#include <set>

#include "app/wiring.h"
#include "orderctl/given.h"

namespace orderd::ctl {
namespace {

std::vector<std::string> step_instances(Context& context) {
  std::set<std::string> names;
  for (const auto& step : default_definition(context.settings()).steps)
    names.insert(instance_of(context.settings(), step.slot));
  for (const auto& [slot, instance] : context.settings().slots) names.insert(instance);
  for (const auto& [slot, rules] : saga::parse_routes(context.settings().routes))
    for (const auto& rule : rules) names.insert(rule.instances.begin(), rule.instances.end());
  return {names.begin(), names.end()};
}

int list(Context& context, const Words& words) {
  expect_no_words(words);
  store::Report report{{"name", "state", "since", "by", "reason"}, {}};
  for (const auto& one : admin::switches(context.connection(), step_instances(context)))
    report.rows.push_back({one.name, one.paused ? "paused" : "on", one.since ? to_rfc3339(*one.since) : "",
                           one.actor, one.reason});
  return context.print(report), 0;
}

int set(Context& context, const Words& words, bool paused) {
  const Given given(words, {"--reason"});
  if (given.words.size() != 1) throw UsageError("exactly one SWITCH is needed");
  const admin::SwitchWish wish{given.words[0], paused, actor(), given.reason()};
  if (paused && !admin::is_switch(wish.name, step_instances(context)))
    throw UsageError(wish.name + " is no switch: intake, captures, or plugin:INSTANCE");
  // Hosts report on the plugins that they call outside of their transactions, and hold back no others.
  if (const auto called = admin::plugin_states(context.connection());
      paused && wish.name.rfind("plugin:", 0) == 0 && !called.empty() &&
      !called.contains(wish.name.substr(7)))
    throw std::runtime_error(wish.name.substr(7) +
                             " works inside the hosts' transactions, which are not held "
                             "back: pause intake, or a plugin that is called outside");
  const bool changed = admin::set_switch(context.connection(), wish);
  std::cout << wish.name << (changed ? "" : " already") << (paused ? " is paused" : " is on");
  std::cout << (changed ? "; every host knows within 2 s\n" : "\n");
  return 0;
}

int pause(Context& context, const Words& words) { return set(context, words, true); }
int resume(Context& context, const Words& words) { return set(context, words, false); }

}  // namespace

std::vector<Verb> switch_verbs() {
  return {
      {"switches list", "", "what can be paused, and what is", list},
      {"switches pause", "intake|captures|plugin:INSTANCE --reason TEXT", "holds it back on all hosts",
       pause},
      {"switches resume", "intake|captures|plugin:INSTANCE --reason TEXT", "lets it go on", resume},
  };
}

}  // namespace orderd::ctl
