// What no host would send, and what an older or a newer one might.
#include "check.h"

namespace orderd::checker {
namespace {

using testing::AbiCommands;
using testing::CommandSpec;

/// Sends one, and gives its outcome: RETRY if refused, UNKNOWN if it failed or stayed silent.
sdk::Outcome send(Begun& begun, const CommandSpec& spec, const std::function<void(orderd_command&)>& bend) {
  const orderd_ticket ticket = begun.host().open(spec.query());
  AbiCommands commands;
  commands.add(spec, ticket);
  bend(commands.at(0));
  const orderd_status status = begun->execute(commands);
  if (status != ORDERD_OK) return begun.host().give_up(ticket), sdk::Outcome::retry(0, "REFUSED", "");
  if (auto outcome = begun.host().wait(ticket, 3000)) return *outcome;
  (void)begun.host().give_up(ticket);
  return sdk::Outcome::unknown("TIMEOUT", "");
}

void unknown_action(Case& c) {
  Begun begun(c);
  CommandSpec spec = sample(c, begun.plugin(), "odd-" + std::to_string(testing::now_ms()));
  if (spec.action == "payment.authorize") {  // with money there, to see it move
    testing::Payment paid(begun.plugin(), spec.subject, c.options().token);
    paid.method = c.options().method;
    paid.complete = [&c](CommandSpec& one) { c.options().complete(one); };
    (void)paid.settle("payment.authorize", spec.amount);
    (void)paid.settle("payment.capture", spec.amount);
    spec.key += ".odd";
  }
  const auto outcome =
      send(begun, spec, [](orderd_command& command) { command.action = orderd_text("no.such.action"); });
  c.expect(outcome.kind != ORDERD_DONE, "it says DONE to the action \"no.such.action\"");
  c.expect(outcome.code != "TIMEOUT", "it accepts an action that it does not know, and never completes it");
}

void malformed(Case& c) {
  Begun begun(c);
  static const std::string large(1 << 20, 'x');
  static const std::string bytes("\xff\xfe\0\x80", 4);
  const std::pair<const char*, void (*)(orderd_command&)> bends[] = {
      {"no key",
       [](orderd_command& o) {
         o.key = {nullptr, 0};
       }},
      {"no subject",
       [](orderd_command& o) {
         o.subject = {nullptr, 0};
       }},
      {"no texts at all",
       [](orderd_command& o) {
         o.customer_id = o.method = o.provider_reference = o.secret_json = o.details_json = o.traceparent =
             o.state = {nullptr, 0};
       }},
      {"a token that is no JSON", [](orderd_command& o) { o.secret_json = orderd_text("{\"token\":"); }},
      {"a token that is a number", [](orderd_command& o) { o.secret_json = orderd_text("{\"token\":7}"); }},
      {"details of another shape", [](orderd_command& o) { o.details_json = orderd_text("[[[[]]]]"); }},
      {"a method of 1 MiB", [](orderd_command& o) { o.method = sdk::view(large); }},
      {"a key of 1 MiB", [](orderd_command& o) { o.key = sdk::view(large); }},
      {"a token of 1 MiB", [](orderd_command& o) { o.secret_json = sdk::view(large); }},
      {"bytes for texts",
       [](orderd_command& o) { o.method = o.customer_id = o.secret_json = sdk::view(bytes); }},
      {"no lines", [](orderd_command& o) { o.lines = nullptr, o.line_count = 0; }},
      {"a state that it never gave",
       [](orderd_command& o) { o.state = sdk::view(bytes), o.state_version = 77; }},
      {"no currency", [](orderd_command& o) { std::memset(o.amount.currency, 0, 4); }},
      {"an exponent of 99", [](orderd_command& o) { o.amount.exponent = 99; }}};
  int i = 0;
  for (const auto& [what, bend] : bends) {
    const auto outcome = send(begun, sample(c, begun.plugin(), "bent-" + std::to_string(++i)), bend);
    c.expect(outcome.code != "TIMEOUT", "a command with " + std::string(what) + " is never completed");
  }
  const auto sane = begun->run(sample(c, begun.plugin(), "sane-again"));
  c.expect(sane.code != "TIMEOUT", "after malformed commands it completes nothing any more");
}

void amounts(Case& c) {
  Begun begun(c);
  for (const std::int64_t amount : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    CommandSpec spec = sample(c, begun.plugin(), "amount" + std::to_string(amount));
    if (spec.action.rfind("payment.", 0) != 0) c.not_asked("it takes no money");
    spec.amount = amount;
    const auto outcome = send(begun, spec, [](orderd_command&) {});
    c.expect(
        outcome.kind != ORDERD_DONE && outcome.kind != ORDERD_PENDING,
        "it says " + std::string(kind_name(outcome.kind)) + " to an amount of " + std::to_string(amount));
  }
}

/// Texts end where their size says, not at a NUL: here something else follows.
void unterminated(Case& c) {
  Begun begun(c);
  const CommandSpec spec = sample(c, begun.plugin(), "bounded-1");
  std::vector<std::unique_ptr<char[]>> kept;
  const auto bound = [&](orderd_view& view) {
    if (!view.data) return;
    kept.push_back(std::make_unique<char[]>(view.size + 16));
    std::memcpy(kept.back().get(), view.data, view.size);
    std::memset(kept.back().get() + view.size, 'Z', 15);
    kept.back()[view.size + 15] = 0;
    view.data = kept.back().get();
  };
  const auto outcome = send(begun, spec, [&](orderd_command& o) {
    for (orderd_view* view : {&o.action, &o.key, &o.subject, &o.method, &o.secret_json, &o.details_json})
      bound(*view);
  });
  const auto usual = begun->run(sample(c, begun.plugin(), "bounded-2"));
  c.expect(outcome.kind == usual.kind,
           "it reads texts beyond their size: views are not NUL-terminated (it said " +
               std::string(kind_name(outcome.kind)) + " instead of " + kind_name(usual.kind) + ")");
}

void older_host(Case& c) {
  Begun begun(c);
  const auto* step = external_step(c, begun.plugin());
  // An older host's structs end sooner: what lies behind them is not the plugin's to write.
  alignas(8) unsigned char memory[64];
  std::memset(memory, 0xa5, sizeof memory);
  auto* traits = reinterpret_cast<orderd_step_traits*>(memory);
  constexpr std::uint32_t size = offsetof(orderd_step_traits, state_version_min);
  std::memset(memory, 0, size);
  traits->struct_size = size;
  step->describe(begun->abi(), traits);
  if (memory[sizeof(orderd_step_traits)] != 0xa5) c.fail("describe() writes beyond the whole struct");
  // Arrays cross as arrays of pointers: a newer host's commands are longer.
  const CommandSpec spec = sample(c, begun.plugin(), "newer-1");
  const auto outcome = send(begun, spec, [](orderd_command& o) { o.struct_size += 64; });
  c.expect(outcome.code != "TIMEOUT" && outcome.code != "REFUSED",
           "it refuses a command of a newer host, which is longer: read what you know of it");
}

void nothing(Case& c) {
  Begun begun(c);
  external_step(c, begun.plugin());
  (void)begun->execute(AbiCommands());
  const auto outcome = begun->run(sample(c, begun.plugin(), "after-nothing"));
  c.expect(outcome.code != "TIMEOUT", "after a call without commands it completes nothing any more");
}

}  // namespace

std::vector<Check> hostile_checks() {
  return {{"step.unsupported", "an action that it does not know has no effect", unknown_action},
          {"step.malformed", "commands that make no sense are completed or refused", malformed},
          {"step.amounts", "no money moves for nothing, or backwards", amounts},
          {"step.unterminated", "texts end at their size", unterminated},
          {"step.other_hosts", "hosts of other minor versions", older_host},
          {"step.empty", "a call without commands", nothing}};
}

}  // namespace orderd::checker
