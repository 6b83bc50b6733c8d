#include <dlfcn.h>

#include <cstdio>
#include <orderd/testing.hpp>

#include "tool.h"

namespace orderd::tool {
namespace {

using testing::CommandSpec;
using testing::Payment;

const char* kind_name(std::int32_t kind) {
  static const char* const names[] = {"(none)", "DONE", "DECLINED", "RETRY", "PENDING", "UNKNOWN"};
  return kind >= ORDERD_DONE && kind <= ORDERD_UNKNOWN ? names[kind] : names[0];
}

void show(const CommandSpec& spec, const sdk::Outcome& outcome) {
  std::printf("→ %s %lld %s  key %s\n", spec.action.c_str(), static_cast<long long>(spec.amount),
              spec.currency.c_str(), spec.query() ? spec.query_key.c_str() : spec.key.c_str());
  static const char* const answers[] = {"", "  FOUND", "  NOT_FOUND_FINAL", "  NOT_FOUND_YET"};
  std::printf("← %s%s", kind_name(outcome.kind), answers[outcome.query_answer & 3]);
  if (!outcome.code.empty()) std::printf("  %s", outcome.code.c_str());
  if (!outcome.message.empty()) std::printf("  (%s)", outcome.message.c_str());
  if (!outcome.next_action_url.empty())
    std::printf("  %s %s", outcome.next_action_type.c_str(), outcome.next_action_url.c_str());
  if (outcome.totals)
    std::printf(
        "  authorized %lld captured %lld refunded %lld voided %lld",
        static_cast<long long>(outcome.totals->authorized), static_cast<long long>(outcome.totals->captured),
        static_cast<long long>(outcome.totals->refunded), static_cast<long long>(outcome.totals->voided));
  std::printf("\n");
}

struct Wish {
  std::string library, scenario = "pay", token, action;
  std::int64_t amount = 1999;
  testing::Settings settings;
};

Wish parse(const std::vector<std::string>& arguments) {
  Wish wish;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& option = arguments[i];
    if (option.rfind("--", 0) != 0) {
      wish.library = option;
      continue;
    }
    if (++i == arguments.size()) throw std::runtime_error(option + " needs a value");
    const std::string& value = arguments[i];
    const std::size_t equals = value.find('=');
    if (option == "--scenario")
      wish.scenario = value;
    else if (option == "--token")
      wish.token = value;
    else if (option == "--action")
      wish.action = value, wish.scenario = "step";
    else if (option == "--amount")
      wish.amount = std::stoll(value);
    else if (option == "--set" && equals != std::string::npos)
      wish.settings[value.substr(0, equals)] = value.substr(equals + 1);
    else
      throw std::runtime_error("unknown option, or a value that makes no sense: " + option + " " + value);
  }
  if (wish.library.empty()) throw std::runtime_error("name a plugin: run ./my_payment.so --scenario pay");
  return wish;
}

const orderd_descriptor* load(const std::string& path) {
  void* library = dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw std::runtime_error(dlerror());
  using EntryFunction = const orderd_descriptor* (*)();
  const auto entry = reinterpret_cast<EntryFunction>(dlsym(library, ORDERD_PLUGIN_ENTRY));
  if (!entry) throw std::runtime_error(path + " is no orderd plugin: orderd-plugin-check tells more");
  return entry();
}

/// Whether it went the way that the scenario tells of.
bool play(const Wish& wish, testing::Plugin& plugin) {
  if (wish.scenario == "step") {
    const CommandSpec spec = testing::command(wish.action);
    const auto outcome = plugin.run(spec);
    show(spec, outcome);
    return outcome.kind == ORDERD_DONE;
  }
  const bool three_ds = wish.scenario == "3ds", declined = wish.scenario == "declined";
  const std::string usual = three_ds ? "tok_3ds" : declined ? "tok_declined" : "tok_ok";
  Payment payment(plugin, "pay-" + std::to_string(testing::now_ms()),
                  wish.token.empty() ? usual : wish.token);
  bool pending = false;
  payment.trace = [&](const CommandSpec& spec, const sdk::Outcome& outcome) {
    pending = pending || outcome.kind == ORDERD_PENDING;
    show(spec, outcome);
  };
  const CommandSpec authorize = payment.spec("payment.authorize", wish.amount);
  const bool authorized = payment.settle(authorize).kind == ORDERD_DONE;
  if (declined) return !authorized;
  if (!authorized || (three_ds && !pending)) return false;
  if (wish.scenario == "void") return payment.settle("payment.void", wish.amount).kind == ORDERD_DONE;
  if (wish.scenario == "repeat")
    return payment.send(authorize).kind == ORDERD_DONE && payment.totals().authorized == wish.amount;
  const bool captured = payment.settle("payment.capture", wish.amount).kind == ORDERD_DONE;
  if (wish.scenario != "refund") return captured;
  return captured && payment.settle("payment.refund", wish.amount).kind == ORDERD_DONE;
}

}  // namespace

int run_scenario(const std::vector<std::string>& arguments) {
  const Wish wish = parse(arguments);
  bool known = false;
  for (const char* one : {"pay", "3ds", "declined", "void", "refund", "repeat", "step"})
    known = known || wish.scenario == one;
  if (!known) throw std::runtime_error("there is no scenario \"" + wish.scenario + "\"");
  testing::FakeHost host(wish.settings, "run");
  bool well = false;
  {
    testing::Plugin plugin(host, load(wish.library));
    plugin.begin();
    well = play(wish, plugin);
  }
  for (const testing::LogLine& line : host.log()) std::printf("log: %s\n", line.text.c_str());
  for (const auto& [name, value] : host.metrics())
    std::printf("metric: %s %lld\n", name.c_str(), static_cast<long long>(value));
  for (const std::string& what : host.violations()) std::printf("PLUGIN_MISBEHAVING: %s\n", what.c_str());
  std::printf("%s: %s\n", wish.scenario.c_str(), well ? "as it should be" : "not as it should be");
  return well && host.violations().empty() ? 0 : 1;
}

}  // namespace orderd::tool
