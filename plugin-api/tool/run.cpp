#include <dlfcn.h>

#include <charconv>
#include <cstdio>
#include <orderd/testing.hpp>

#include "checker/apart.h"
#include "checker/loopback.h"
#include "checker/shop.h"
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
  std::string library, scenario = "pay", action;
  checker::Shop shop;
  bool loopback = false;
  std::int64_t amount = 1999;
  unsigned timeout_s = 60;
  testing::Settings settings;
};

constexpr std::int64_t timeout_max_s = 86400;

std::int64_t number(const std::string& option, const std::string& text, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value > 0 && value <= most) return value;
  throw UsageError(option + " takes a number from 1 to " + std::to_string(most) + ", not \"" + text + "\"");
}

/// An option and its value.
void take(Wish& wish, const std::string& option, const std::string& value) {
  if (option == "--scenario") {
    wish.scenario = value;
  } else if (option == "--action") {
    wish.action = value, wish.scenario = "step";
  } else if (option == "--amount") {
    wish.amount = number(option, value, INT64_MAX);
  } else if (option == "--timeout") {
    wish.timeout_s = static_cast<unsigned>(number(option, value, timeout_max_s));
  } else if (option == "--set") {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos) throw UsageError("--set takes KEY=VALUE, not \"" + value + "\"");
    wish.settings[value.substr(0, equals)] = value.substr(equals + 1);
  } else {
    try {
      if (!wish.shop.take(option, value)) throw UsageError("unknown option " + option + " " + value);
    } catch (const UsageError&) { throw; } catch (const std::runtime_error& e) {
      throw UsageError(e.what());
    }
  }
}

Wish parse(const std::vector<std::string>& arguments) {
  Wish wish;
  wish.shop.token.clear();  // as the scenario wants it
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& option = arguments[i];
    if (option == "--loopback") {
      wish.loopback = true;
      continue;
    }
    if (option.rfind("--", 0) != 0) {
      if (!wish.library.empty()) throw UsageError("one plugin at a time: " + option);
      wish.library = option;
      continue;
    }
    if (++i == arguments.size()) throw UsageError(option + " needs a value, or is unknown");
    take(wish, option, arguments[i]);
  }
  if (wish.library.empty()) throw UsageError("name a plugin: run ./my_payment.so --scenario pay");
  bool known = false;
  for (const char* one : {"pay", "3ds", "declined", "void", "refund", "repeat", "step"})
    known = known || wish.scenario == one;
  if (!known) throw UsageError("there is no scenario \"" + wish.scenario + "\"");
  if (wish.scenario == "step" && wish.action.empty())
    throw UsageError("the scenario step needs the action: --action fraud.check");
  return wish;
}

const orderd_descriptor* load(const std::string& path) {
  testing::note_call("dlopen()");
  void* library = dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw std::runtime_error(dlerror());
  using EntryFunction = const orderd_descriptor* (*)();
  const auto entry = reinterpret_cast<EntryFunction>(dlsym(library, ORDERD_PLUGIN_ENTRY));
  if (!entry) throw std::runtime_error(path + " is no orderd plugin: orderd-plugin-check tells more");
  testing::note_call(ORDERD_PLUGIN_ENTRY "()");
  const orderd_descriptor* descriptor = entry();
  if (!descriptor || !ORDERD_HAS(descriptor, orderd_descriptor, create) || !descriptor->create)
    throw std::runtime_error("its descriptor is missing, too short, or has no create()");
  return descriptor;
}

/// Throws if it is none that can be driven without a database.
void need_external_step(testing::Plugin& plugin) {
  const auto* step = plugin.extension<orderd_step_v1>(ORDERD_EXT_STEP);
  if (!step) throw std::runtime_error("it is no step: orderd-plugin-check --database URL judges it");
  if (step->execute_tx && !step->execute)
    throw std::runtime_error("it is a transactional step: orderd-plugin-check --database URL judges it");
  if (!step->execute) throw std::runtime_error("its " ORDERD_EXT_STEP " lacks execute()");
}

/// Whether it went the way that the scenario tells of.
bool play(const Wish& wish, testing::Plugin& plugin) {
  if (wish.scenario == "step") {
    CommandSpec spec = testing::command(wish.action);
    wish.shop.complete(spec, wish.shop.token.empty() ? "tok_ok" : wish.shop.token);
    const auto outcome = plugin.run(spec);
    show(spec, outcome);
    return outcome.kind == ORDERD_DONE;
  }
  const bool three_ds = wish.scenario == "3ds", declined = wish.scenario == "declined";
  const std::string usual = three_ds ? "tok_3ds" : declined ? "tok_declined" : "tok_ok";
  const std::string token = wish.shop.token.empty() ? usual : wish.shop.token;
  Payment payment(plugin, "pay-" + std::to_string(testing::now_ms()));
  payment.method = wish.shop.method;
  payment.complete = [&](CommandSpec& spec) { wish.shop.complete(spec, token); };
  bool pending = false;
  payment.trace = [&](const CommandSpec& spec, const sdk::Outcome& outcome) {
    pending = pending || outcome.kind == ORDERD_PENDING;
    show(spec, outcome);
  };
  const CommandSpec authorize = payment.spec("payment.authorize", wish.amount);
  const std::int32_t kind = payment.settle(authorize).kind;
  if (declined) return kind == ORDERD_DECLINED;  // RETRY and UNKNOWN are no answer to a buyer
  const bool authorized = kind == ORDERD_DONE;
  if (!authorized || (three_ds && !pending)) return false;
  if (wish.scenario == "void") return payment.settle("payment.void", wish.amount).kind == ORDERD_DONE;
  if (wish.scenario == "repeat")
    return payment.send(authorize).kind == ORDERD_DONE && payment.totals().authorized == wish.amount;
  const bool captured = payment.settle("payment.capture", wish.amount).kind == ORDERD_DONE;
  if (wish.scenario != "refund") return captured;
  return captured && payment.settle("payment.refund", wish.amount).kind == ORDERD_DONE;
}

int drive(const Wish& wish) {
  testing::FakeHost host(wish.settings, "run");
  if (wish.loopback) host.http.server = checker::over_loopback;
  bool well = false;
  {
    testing::Plugin plugin(host, load(wish.library));
    plugin.begin();
    need_external_step(plugin);
    well = play(wish, plugin);
  }
  for (const testing::LogLine& line : host.log()) std::printf("log: %s\n", line.text.c_str());
  for (const auto& [name, value] : host.metrics())
    std::printf("metric: %s %lld\n", name.c_str(), static_cast<long long>(value));
  for (const std::string& what : host.violations()) std::printf("PLUGIN_MISBEHAVING: %s\n", what.c_str());
  std::printf("%s: %s\n", wish.scenario.c_str(), well ? "as it should be" : "not as it should be");
  return well && host.violations().empty() ? 0 : 1;
}

}  // namespace

int run_scenario(const std::vector<std::string>& arguments) {
  const Wish wish = parse(arguments);
  const auto ran = checker::run_apart(
      [&](int) {
        std::setvbuf(stdout, nullptr, _IOLBF, 0);  // what was told before it crashes is told
        try {
          return drive(wish);
        } catch (const std::exception& e) { std::fprintf(stderr, "orderd-plugin: %s\n", e.what()); }
        return 1;
      },
      wish.timeout_s);
  if (ran.problem.empty()) return ran.result;
  std::fprintf(stderr, "orderd-plugin: %s: %s\n", wish.library.c_str(), ran.problem.c_str());
  return 1;
}

}  // namespace orderd::tool
