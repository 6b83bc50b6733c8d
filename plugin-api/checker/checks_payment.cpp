// What a payment provider owes: money that adds up, queries that tell the truth.
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

namespace orderd::checker {
namespace {

using testing::CommandSpec;
using testing::Payment;

/// Subjects differ from run to run, so that a provider with a memory does not know them.
std::string fresh(const std::string& what) {
  return "check-" + what + "-" + std::to_string(testing::now_ms()) + "-" + std::to_string(getpid());
}

bool supports(Case& c, testing::Plugin& plugin, const char* action) {
  return external_step(c, plugin)->supports(plugin.abi(), orderd_text(action)) != 0;
}

void prepare(Case& c, Payment& one) {
  one.method = c.options().method;
  one.complete = [&c](CommandSpec& spec) { c.options().complete(spec); };
}

Payment payment(Case& c, Begun& begun, const std::string& what) {
  if (!supports(c, begun.plugin(), "payment.authorize")) c.not_asked("it is no payment provider");
  Payment one(begun.plugin(), fresh(what), c.options().token);
  prepare(c, one);
  return one;
}

/// Authorized, or the check is skipped with what to do.
void authorize(Case& c, Payment& one, std::int64_t amount) {
  const auto outcome = one.settle("payment.authorize", amount);
  if (outcome.kind != ORDERD_DONE)
    c.skip(std::string("payment.authorize ended as ") + kind_name(outcome.kind) + " " + outcome.code +
           ": give a token that it accepts by --token");
}

std::string told(const orderd_totals& t) {
  return "authorized " + std::to_string(t.authorized) + ", captured " + std::to_string(t.captured) +
         ", refunded " + std::to_string(t.refunded) + ", voided " + std::to_string(t.voided);
}

void expect_totals(Case& c, const Payment& one, const orderd_totals& wanted, const std::string& after) {
  const orderd_totals& t = one.totals();
  if (std::memcmp(&t, &wanted, sizeof t) != 0)
    c.fail("after " + after + " it reports " + told(t) + "; it should be " + told(wanted));
}

/// A command to its end: whether it is DONE. What stays PENDING is legal, since a provider may take days;
/// until it ends, it may count or not, and nothing else may move. That ends the check.
bool done(Case& c, Payment& one, const CommandSpec& spec) {
  const orderd_totals before = one.totals();
  const auto outcome = one.settle(spec);
  if (outcome.kind != ORDERD_PENDING) return outcome.kind == ORDERD_DONE;
  const orderd_totals& now = one.totals();
  const auto within = [&](const char* action, std::int64_t was, std::int64_t is) {
    return is >= was && is <= was + (spec.action == action ? spec.amount : 0);
  };
  c.expect(within("payment.authorize", before.authorized, now.authorized) &&
               within("payment.capture", before.captured, now.captured) &&
               within("payment.refund", before.refunded, now.refunded) &&
               within("payment.void", before.voided, now.voided),
           "with " + spec.action + " of " + std::to_string(spec.amount) + " PENDING it reports " + told(now) +
               "; before it was " + told(before));
  c.not_asked(spec.action + " stays PENDING, which is its right; what comes after it is not judged");
}
bool done(Case& c, Payment& one, const std::string& action, std::int64_t amount) {
  return done(c, one, one.spec(action, amount));
}

void supports_all(Case& c) {
  Begun begun(c);
  if (!supports(c, begun.plugin(), "payment.authorize")) c.not_asked("it is no payment provider");
  for (const char* action : {"payment.capture", "payment.void", "payment.refund", "payment.query"})
    c.expect(supports(c, begun.plugin(), action), std::string("it does not support ") + action);
  orderd_step_traits traits;
  ORDERD_CLEAR(traits);
  external_step(c, begun.plugin())->describe(begun->abi(), &traits);
  c.expect((traits.flags & ORDERD_STEP_QUERY) != 0,
           "describe() does not set ORDERD_STEP_QUERY: the host will never ask what became of a payment");
}

void totals(Case& c) {
  Begun begun(c);
  Payment one = payment(c, begun, "totals");
  int without = 0;
  one.trace = [&](const CommandSpec&, const sdk::Outcome& outcome) {
    const bool none = outcome.code == "TIMEOUT" || outcome.code == "REFUSED" ||
                      outcome.query_answer == ORDERD_NOT_FOUND_FINAL;
    if (!none && outcome.kind == ORDERD_DONE && !outcome.totals) ++without;
  };
  authorize(c, one, 1999);
  (void)one.settle("payment.capture", 1999);
  (void)one.settle("payment.refund", 1999);
  c.expect(without == 0,
           std::to_string(without) + " DONE outcomes carry no totals: set ORDERD_OUTCOME_HAS_TOTALS");
}

void full_way(Case& c) {
  Begun begun(c);
  Payment one = payment(c, begun, "way");
  authorize(c, one, 1999);
  expect_totals(c, one, {1999, 0, 0, 0}, "authorize 1999");
  c.expect(done(c, one, "payment.capture", 1999), "it does not capture what it authorized");
  expect_totals(c, one, {1999, 1999, 0, 0}, "capture 1999");
  c.expect(done(c, one, "payment.refund", 1999), "it does not refund what it captured");
  expect_totals(c, one, {1999, 1999, 1999, 0}, "refund 1999");
}

void voids(Case& c) {
  Begun begun(c);
  Payment one = payment(c, begun, "void");
  authorize(c, one, 500);
  c.expect(done(c, one, "payment.void", 500), "it does not void what it authorized");
  expect_totals(c, one, {500, 0, 0, 500}, "void of 500");
  const auto after = one.settle("payment.capture", 500);
  c.expect(after.kind != ORDERD_DONE, "it captures what was voided");
  Payment none = payment(c, begun, "void-of-nothing");
  c.expect(done(c, none, "payment.void", 0), "a void of nothing is not DONE");
}

void voids_rest(Case& c) {
  Begun begun(c);
  Payment whole = payment(c, begun, "void-whole");
  authorize(c, whole, 500);
  if (done(c, whole, "payment.capture", 500)) {
    c.expect(done(c, whole, "payment.void", 500),
             "a void after a full capture is not DONE: there is nothing left to let go of");
    expect_totals(c, whole, {500, 500, 0, 0}, "capture 500 of 500 and a void");
  }
  Payment part = payment(c, begun, "void-part");
  authorize(c, part, 1000);
  if (!done(c, part, "payment.capture", 600)) c.not_asked("it captures all or nothing");
  c.expect(done(c, part, "payment.void", 400),
           "a void after a partial capture is not DONE: it lets go of what is not captured");
  expect_totals(c, part, {1000, 600, 0, 400}, "capture 600 of 1000 and a void");
}

void partial(Case& c) {
  Begun begun(c);
  Payment one = payment(c, begun, "partial");
  authorize(c, one, 1000);
  if (!done(c, one, "payment.capture", 600)) c.not_asked("it captures all or nothing");
  expect_totals(c, one, {1000, 600, 0, one.totals().voided}, "capture 600 of 1000");
  if (!done(c, one, "payment.refund", 100)) c.not_asked("it refunds all or nothing");
  (void)done(c, one, "payment.refund", 250);
  expect_totals(c, one, {1000, 600, 350, one.totals().voided}, "refunds of 100 and 250");
}

void limits(Case& c) {
  Begun begun(c);
  Payment one = payment(c, begun, "limits");
  authorize(c, one, 1000);
  c.expect(one.settle("payment.capture", 1001).kind != ORDERD_DONE, "it captures more than it authorized");
  c.expect(one.settle("payment.refund", 1).kind != ORDERD_DONE, "it refunds what was never captured");
  (void)one.settle("payment.capture", 1000);
  c.expect(one.settle("payment.refund", 1001).kind != ORDERD_DONE, "it refunds more than it captured");
  (void)one.settle("payment.refund", 1000);
  c.expect(one.settle("payment.refund", 1).kind != ORDERD_DONE,
           "it refunds more than it captured, bit by bit");
}

void currencies(Case& c) {
  Begun begun(c);
  const std::tuple<const char*, std::uint32_t, std::int64_t> amounts[] = {
      {"JPY", 0, 500}, {"BHD", 3, 1250}, {"EUR", 2, 1}, {"USD", 2, 123456789}};
  int taken = 0;
  for (const auto& [currency, exponent, amount] : amounts) {
    Payment one = payment(c, begun, currency);
    one.currency = currency;
    one.exponent = exponent;
    if (one.settle("payment.authorize", amount).kind != ORDERD_DONE)
      continue;  // not every currency, not every sum
    ++taken;
    expect_totals(c, one, {amount, 0, 0, 0}, "authorize " + std::to_string(amount) + " " + currency);
  }
  if (taken == 0) c.skip("it took none of JPY, BHD, EUR, USD");
}

void repeats(Case& c) {
  Begun begun(c);
  Payment one = payment(c, begun, "repeats");
  authorize(c, one, 1000);
  for (const auto& [action, amount] : {std::pair("payment.capture", 400), std::pair("payment.refund", 150)}) {
    const CommandSpec spec = one.spec(action, amount);
    if (!done(c, one, spec)) c.not_asked("it captures and refunds all or nothing");
    const orderd_totals once = one.totals();
    for (int i = 0; i < 3; ++i) (void)one.send(spec);
    expect_totals(c, one, once, std::string("the same ") + action + " again and again");
  }
}

void queries(Case& c) {
  Begun begun(c);
  Payment one = payment(c, begun, "queries");
  CommandSpec never = one.spec("payment.capture", 700);
  never.key += ".never-sent";
  auto answer = one.send(query_of(never));
  c.expect(answer.query_answer == ORDERD_NOT_FOUND_FINAL || answer.query_answer == ORDERD_NOT_FOUND_YET,
           "asked for a key that was never sent, it does not say NOT_FOUND");
  const CommandSpec spec = one.spec("payment.authorize", 700);
  if (one.settle(spec).kind != ORDERD_DONE) c.skip("give a token that it accepts by --token");
  answer = one.send(query_of(spec));
  c.expect(answer.query_answer == ORDERD_FOUND && answer.kind == ORDERD_DONE,
           std::string("asked for a key that is DONE, it says ") + kind_name(answer.kind) +
               ", query_answer " + std::to_string(answer.query_answer));
  for (int i = 0; i < 3; ++i) (void)one.send(query_of(spec));
  expect_totals(c, one, {700, 0, 0, 0}, "queries, which have no effect");
}

/// A process that dies between the provider's answer and telling it: then the query, and the same key again.
void killed(Case& c) {
  const std::string subject = fresh("killed");
  const auto one_of = [&](Begun& begun) {
    if (!supports(c, begun.plugin(), "payment.authorize")) c.not_asked("it is no payment provider");
    Payment one(begun.plugin(), subject, c.options().token);
    prepare(c, one);
    return one;
  };
  {
    Begun begun(c);
    (void)one_of(begun);  // or there is nothing to kill
  }
  const pid_t victim = fork();
  if (victim == 0) {
    Begun begun(c, [](testing::FakeHost& host) { host.before_completion = [] { _exit(0); }; });
    Payment one = one_of(begun);
    (void)one.send(one.spec("payment.authorize", 900));
    _exit(0);
  }
  int status = 0;
  waitpid(victim, &status, 0);
  Begun begun(c);
  Payment one = one_of(begun);
  const CommandSpec spec = one.spec("payment.authorize", 900);
  auto answer = one.send(query_of(spec));
  for (int i = 0; i < 10 && answer.query_answer == ORDERD_NOT_FOUND_YET; ++i) {
    std::this_thread::sleep_for(
        std::chrono::milliseconds(std::min<std::int64_t>(answer.retry_after_ms, 500)));
    answer = one.send(query_of(spec));
  }
  c.expect(answer.query_answer != 0, "after a crash the query gives no answer");
  if (one.settle(spec).kind != ORDERD_DONE) c.skip("give a token that it accepts by --token");
  expect_totals(c, one, {900, 0, 0, 0}, "a crash, a query and the same key again");
}

void declines(Case& c) {
  Begun begun(c);
  if (!supports(c, begun.plugin(), "payment.authorize")) c.not_asked("it is no payment provider");
  Payment good = payment(c, begun, "accepted");
  const bool reached = good.settle("payment.authorize", 1000).kind == ORDERD_DONE;
  Payment one(begun.plugin(), fresh("declined"));
  one.complete = [&c](CommandSpec& spec) { c.options().complete(spec, "orderd-checker-no-such-token"); };
  const auto outcome = one.settle("payment.authorize", 1000);
  c.expect(!reached || outcome.kind != ORDERD_RETRY,
           "it says RETRY to a token that it cannot know: the host would try until its time is over");
  c.expect(outcome.kind != ORDERD_DONE, "it authorizes a token that it cannot know");
  c.expect(outcome.kind != ORDERD_DECLINED || !outcome.code.empty(), "it declines without a code");
  c.expect(one.totals().authorized == 0 || outcome.kind != ORDERD_DECLINED,
           "it declined, and reports money as authorized");
}

}  // namespace

std::vector<Check> payment_checks() {
  return {{"payment.supports", "it knows capture, void, refund and query", supports_all},
          {"payment.totals", "outcomes carry the provider's totals", totals},
          {"payment.way", "authorize, capture, refund add up", full_way},
          {"payment.void", "what is voided is voided; a void of nothing is done", voids},
          {"payment.void_rest", "after a capture a void lets go of the rest", voids_rest},
          {"payment.partial", "parts add up", partial},
          {"payment.limits", "never more captured than authorized, refunded than captured", limits},
          {"payment.currencies", "amounts are minor units, whatever the currency", currencies},
          {"payment.repeat", "captures and refunds have one effect a key", repeats},
          {"payment.query", "a query finds what was done, and changes nothing", queries},
          {"payment.killed", "killed between effect and answer: one effect in the end", killed},
          {"payment.declined", "a token that it cannot know is declined", declines}};
}

}  // namespace orderd::checker
