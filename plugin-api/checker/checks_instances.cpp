// Two instances of one library in one process: what one is told, the other does not know.
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

namespace orderd::checker {
namespace {

using testing::CommandSpec;

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

struct Pair {
  std::unique_ptr<Begun> first, second;
};

/// Two that began; ends the check if they are one.
Pair two(Case& c) {
  Pair pair{std::make_unique<Begun>(c), std::make_unique<Begun>(c)};
  if (pair.first->plugin().abi() != pair.second->plugin().abi()) return pair;
  c.fail("two instances are one: create() gave the same pointer twice");
  (void)pair.first.release(), (void)pair.second.release();  // what is one cannot be ended twice
  throw Enough();
}

/// Of what has no effect outside: an operator's check of a build that is to replace another.
void two_lives(Case& c) {
  Pair pair = two(c);
  pair.first.reset();  // the older goes, the younger stays
  (void)pair.second->plugin().extension<void>("orderd.step/1");
}

void two_steps(Case& c) {
  const std::string subject = "two-" + std::to_string(testing::now_ms()) + "-" + std::to_string(getpid());
  const CommandSpec elsewhere = [&] {
    Begun begun(c);
    return sample(c, begun.plugin(), subject + "-elsewhere");
  }();
  const bool outside = elsewhere.action != "payment.authorize" || remembers_outside(c, elsewhere);
  Pair pair = two(c);
  const CommandSpec spec = sample(c, pair.first->plugin(), subject);
  expect_own_host(c, pair.first->plugin(), spec, "the first");
  if (!outside) expect_own_memory(c, *pair.first, *pair.second, spec);
  expect_own_host(c, pair.second->plugin(), sample(c, pair.second->plugin(), subject + "-b"), "the second");
  pair.first.reset();
  expect_own_host(c, pair.second->plugin(), sample(c, pair.second->plugin(), subject + "-c"),
                  "once the first is destroyed, the second");
}

void threads_end(Case& c) {
  const auto live_once = [&](const char* subject) {
    Begun begun(c);
    (void)begun->run(sample(c, begun.plugin(), subject));
  };
  live_once("threads-0");
  const std::set<int> before = threads();
  for (const char* subject : {"threads-1", "threads-2", "threads-3"}) live_once(subject);
  if (const std::size_t left = threads_beyond(before, 2000); left > 0)
    c.fail("after stop() " + std::to_string(left) + " threads of its commands are still there: join them");
}

}  // namespace

std::vector<Check> instance_checks() {
  return {{"life.two_instances", "two instances at once are two", two_lives},
          {"step.two_instances", "two instances at once share nothing", two_steps},
          {"step.threads", "after stop() the threads of its commands are gone", threads_end}};
}

}  // namespace orderd::checker
