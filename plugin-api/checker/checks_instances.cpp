// Two instances of one library in one process: what one is told, the other does not know.
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

namespace orderd::checker {
namespace {

using testing::CommandSpec;
using testing::Payment;

bool knows(testing::Plugin& plugin, const CommandSpec& asked) {
  return plugin.run(query_of(asked)).query_answer == ORDERD_FOUND;
}

/// Whether an instance in another process knows what one here was told: its provider is outside, and may
/// tell.
bool remembers_outside(Case& c, const CommandSpec& told) {
  const pid_t other = fork();
  if (other == 0) {
    Begun begun(c);
    (void)begun->run(told);
    _exit(0);
  }
  int status = 0;
  waitpid(other, &status, 0);
  Begun begun(c);
  return knows(begun.plugin(), told);
}

void expect_own_host(Case& c, testing::Plugin& plugin, const CommandSpec& spec, const std::string& whose) {
  if (plugin.run(spec).code == "TIMEOUT")
    c.fail("with two instances, " + whose +
           " never completes a command at its own host: it keeps a host in " + "what both share");
}

void expect_own_memory(Case& c, Begun& first, Begun& second, const CommandSpec& authorize) {
  c.expect(!knows(second.plugin(), authorize),
           "the second instance knows a key that only the first was sent: they share static memory");
  CommandSpec capture = testing::command("payment.capture", authorize.subject, 2);
  capture.amount = authorize.amount;
  const auto taken = second->run(capture);
  c.expect(taken.kind != ORDERD_DONE && (!taken.totals || taken.totals->authorized == 0),
           "the second instance captures what only the first authorized: they share static memory");
  c.expect(knows(first.plugin(), authorize), "the first instance forgets a key once the second is there");
}

void two_instances(Case& c) {
  const std::string subject = "two-" + std::to_string(testing::now_ms()) + "-" + std::to_string(getpid());
  const auto elsewhere = [&] {
    Begun begun(c);
    return sample_if_any(c, begun.plugin(), subject + "-elsewhere");
  }();
  const bool outside =
      !elsewhere || elsewhere->action != "payment.authorize" || remembers_outside(c, *elsewhere);
  auto first = std::make_unique<Begun>(c);
  auto second = std::make_unique<Begun>(c);
  if (first->plugin().abi() == second->plugin().abi()) {
    c.fail("two instances are one: create() gave the same pointer twice");
    (void)first.release(), (void)second.release();  // what is one cannot be ended twice
    return;
  }
  const auto spec = sample_if_any(c, first->plugin(), subject);
  if (spec) {
    expect_own_host(c, first->plugin(), *spec, "the first");
    if (!outside) expect_own_memory(c, *first, *second, *spec);
    expect_own_host(c, second->plugin(), *sample_if_any(c, second->plugin(), subject + "-b"), "the second");
  }
  first.reset();  // the older goes, the younger stays
  if (const auto more = sample_if_any(c, second->plugin(), subject + "-c"))
    expect_own_host(c, second->plugin(), *more, "once the first is destroyed, the second");
  (void)second->plugin().extension<void>("orderd.step/1");
}

}  // namespace

std::vector<Check> instance_checks() {
  return {{"life.two_instances", "two instances at once share nothing", two_instances}};
}

}  // namespace orderd::checker
