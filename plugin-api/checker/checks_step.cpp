// What every external step owes: each command completed once, soon, and one effect a key.
#include "check.h"

namespace orderd::checker {
namespace {

using testing::AbiCommands;
using testing::CommandSpec;

bool same_outcome(const sdk::Outcome& a, const sdk::Outcome& b) {
  if (a.kind != b.kind || a.code != b.code || a.totals.has_value() != b.totals.has_value()) return false;
  return !a.totals || std::memcmp(&*a.totals, &*b.totals, sizeof(orderd_totals)) == 0;
}

std::string told(const sdk::Outcome& outcome) {
  return std::string(kind_name(outcome.kind)) + (outcome.code.empty() ? "" : " " + outcome.code);
}

void describes(Case& c) {
  Begun begun(c);
  const auto* step = begun->extension<orderd_step_v1>(ORDERD_EXT_STEP);
  if (!step) c.not_asked("it is no step");
  if (!step->describe || !step->supports) return c.fail("it lacks describe() or supports()");
  struct {
    orderd_step_traits traits;
    unsigned char guard[32];
  } given;
  std::memset(&given, 0xa5, sizeof given);
  ORDERD_CLEAR(given.traits);
  testing::note_call("describe()");
  step->describe(begun->abi(), &given.traits);
  c.expect(given.traits.struct_size == sizeof given.traits, "describe() changed struct_size");
  for (const unsigned char byte : given.guard)
    if (byte != 0xa5) {
      c.fail("describe() wrote beyond the struct that the host gave");
      break;
    }
  c.expect(given.traits.idempotency_window_ms >= 0, "a negative idempotency window");
  c.expect(given.traits.state_version_min <= given.traits.state_version_max, "state versions run backwards");
  c.expect((given.traits.flags & ~3u) == 0, "it sets flags that this ABI does not know");
  testing::note_call("supports()");
  for (const char* action : {"no.such.action", "", "payment."})
    c.expect(!step->supports(begun->abi(), sdk::view(action)),
             "it claims to support \"" + std::string(action) + "\"");
}

void completes(Case& c) {
  Begun begun(c);
  for (int i = 0; i < 5; ++i) {
    const auto outcome = begun->run(sample(c, begun.plugin(), "check-" + std::to_string(i)));
    if (outcome.code == "TIMEOUT") return c.fail("a command was never completed: the host waited 5 s");
    c.expect(outcome.code != "NO_ANSWER", "it dropped a command without an answer");
  }
}

void batch(Case& c) {
  Begun begun(c);
  AbiCommands commands;
  std::vector<CommandSpec> specs;
  for (int i = 0; i < 64; ++i) specs.push_back(sample(c, begun.plugin(), "batch-" + std::to_string(i)));
  std::vector<orderd_ticket> tickets;
  for (const CommandSpec& spec : specs) commands.add(spec, tickets.emplace_back(begun.host().open(false)));
  if (begun->execute(commands) != ORDERD_OK) return;  // its right
  int missing = 0;
  for (const orderd_ticket ticket : tickets) missing += begun.host().wait(ticket, 5000) ? 0 : 1;
  c.expect(missing == 0, std::to_string(missing) + " of 64 commands of one batch were never completed");
}

void prompt(Case& c) {
  Begun begun(c);
  std::int64_t least = 1 << 30;  // of several, since a busy machine may be slow once
  for (int i = 0; i < 4; ++i) {
    const CommandSpec spec = sample(c, begun.plugin(), "prompt-" + std::to_string(i));
    AbiCommands commands;
    const orderd_ticket ticket = begun.host().open(false);
    commands.add(spec, ticket);
    const std::int64_t began = testing::monotonic_ms();
    (void)begun->execute(commands);
    least = std::min(least, testing::monotonic_ms() - began);
    (void)begun.host().wait(ticket, 5000);
    (void)begun.host().give_up(ticket);
  }
  c.expect(least < 500, "execute() takes " + std::to_string(least) +
                            " ms: it must not wait for the network, other commands wait behind it");
}

void repeat(Case& c) {
  Begun begun(c);
  const CommandSpec spec = sample(c, begun.plugin(), "repeat-1");
  const auto first = begun->run(spec);
  if (first.kind == ORDERD_RETRY || first.kind == ORDERD_UNKNOWN)
    c.skip("the command was not settled (" + told(first) + "), so it says nothing about a repeat");
  for (std::uint32_t attempt = 2; attempt < 5; ++attempt) {
    CommandSpec again = spec;
    again.attempt = attempt;
    const auto second = begun->run(again);
    c.expect(same_outcome(first, second), "the same key was answered " + told(first) + ", then " +
                                              told(second) + ", or with other totals: a second effect");
  }
}

void concurrent(Case& c) {
  constexpr int threads = 8, each = 50;
  Begun begun(c);
  const CommandSpec pattern = sample(c, begun.plugin(), "crowd");
  std::atomic<int> missing{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < threads; ++t)
    callers.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        CommandSpec spec = pattern;
        spec.subject = "crowd-" + std::to_string(t) + "-" + std::to_string(i);
        spec.key = spec.subject + ".g1";
        if (begun->run(spec).code == "TIMEOUT") ++missing;
      }
    });
  for (std::thread& caller : callers) caller.join();
  c.expect(missing == 0, std::to_string(missing) + " of 400 commands from 8 threads were never completed");
}

void concurrent_key(Case& c) {
  constexpr int threads = 8;
  Begun begun(c);
  const CommandSpec spec = sample(c, begun.plugin(), "twins");
  std::vector<sdk::Outcome> outcomes(threads);
  std::vector<std::thread> callers;
  for (int t = 0; t < threads; ++t) callers.emplace_back([&, t] { outcomes[t] = begun->run(spec); });
  for (std::thread& caller : callers) caller.join();
  for (const auto& outcome : outcomes)
    if (outcome.totals && outcome.totals->authorized > spec.amount)
      return c.fail("one key sent from 8 threads at once had its effect more than once: authorized " +
                    std::to_string(outcome.totals->authorized) + " of " + std::to_string(spec.amount));
}

void cancelled(Case& c) {
  Begun begun(c);
  const auto* step = external_step(c, begun.plugin());
  if (!step->cancel) c.not_asked("it has no cancel()");
  const CommandSpec spec = sample(c, begun.plugin(), "cancel-1");
  const orderd_ticket ticket = begun.host().open(false);
  AbiCommands commands;
  commands.add(spec, ticket);
  testing::note_call("cancel()");
  step->cancel(begun->abi(), ticket);  // the deadline can come before the command
  (void)begun->execute(commands);
  testing::note_call("cancel()");
  for (int i = 0; i < 3; ++i) step->cancel(begun->abi(), ticket);
  (void)begun.host().give_up(ticket);
  step->cancel(begun->abi(), {0, 0});
  step->cancel(begun->abi(), {~std::uint64_t{0}, ~std::uint64_t{0}});
  const auto outcome = begun->run(sample(c, begun.plugin(), "cancel-2"));
  c.expect(outcome.code != "TIMEOUT", "after a cancel() it completes nothing any more");
}

void overdue(Case& c) {
  Begun begun(c);
  CommandSpec spec = sample(c, begun.plugin(), "late-1");
  spec.patience_ms = -1000;
  (void)begun->run(spec);  // it may come too late, or say RETRY; it must not hang
  const auto outcome = begun->run(sample(c, begun.plugin(), "late-2"));
  c.expect(outcome.code != "TIMEOUT", "after an overdue command it completes nothing any more");
}

void stops(Case& c) {
  constexpr std::int64_t patience_ms = 5000;
  const std::set<int> before = threads();
  auto host = c.host();
  {
    testing::Plugin plugin(*host, c.descriptor());
    plugin.begin();
    for (int i = 0; i < 20; ++i) {
      const CommandSpec spec = sample(c, plugin, "open-" + std::to_string(i));
      AbiCommands commands;
      commands.add(spec, host->open(false));
      (void)plugin.execute(commands);
    }
    const std::int64_t began = testing::monotonic_ms();
    plugin.stop();
    const std::int64_t took = testing::monotonic_ms() - began;
    c.expect(took < 10'000, "stop() took " + std::to_string(took) + " ms with commands open");
    (void)threads_beyond(before, patience_ms);  // one that should be gone may still complete
  }
  c.judge(*host);
}

}  // namespace

std::vector<Check> step_checks() {
  return {{"step.describe", "describe() and supports() tell what kind of step it is", describes},
          {"step.completes", "each command is completed, once, with an outcome that makes sense", completes},
          {"step.batch", "so are 64 commands of one call", batch},
          {"step.prompt", "execute() does not wait", prompt},
          {"step.repeat", "the same key: the same outcome, one effect", repeat},
          {"step.concurrent", "8 threads at once", concurrent},
          {"step.concurrent_key", "8 threads at once with one key: one effect", concurrent_key},
          {"step.cancel", "cancel() of what is open, done and unknown", cancelled},
          {"step.overdue", "a deadline that has passed", overdue},
          {"step.stop", "stop() with commands open; nothing comes after it", stops}};
}

}  // namespace orderd::checker
