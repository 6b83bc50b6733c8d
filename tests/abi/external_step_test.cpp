#include <catch2/catch.hpp>
#include <set>

#include "harness.h"

namespace orderd::plugins {
namespace {

TEST_CASE("a command is completed inside execute() or later from the plugin's own thread") {
  Running host(plugin("abi_scripted.so"));
  for (const char* method : {"inline", "thread"}) {
    const Command one = command(method);
    const Completion done = host.run(one);
    CHECK(done.outcome.kind == OutcomeKind::done);
    CHECK(done.order_id == one.order_id);
    CHECK(done.key == one.key);
    CHECK(done.plugin_digest == host.registry.infos()[0].digest);
  }
}

TEST_CASE("commands and outcomes cross with all they carry") {
  Running host(plugin("abi_scripted.so", {{"account", "acct_eu"}}));
  Command one = command("full");
  one.lines = {{1, "SKU-1", 3, 100}};
  one.metadata_json = R"({"cart":"88f1"})";
  one.state = {5, std::string("\0\1\2", 3)};
  const Completion done = host.run(one);
  CHECK(done.outcome.kind == OutcomeKind::done);
  CHECK(done.outcome.code == one.key);
  CHECK(done.outcome.message == "acct_eu");
  CHECK(done.outcome.totals == PaymentTotals{350, 0, 0, 0});
  CHECK(done.outcome.provider_reference == one.subject);
  CHECK(done.outcome.expires == one.deadline);
  CHECK(done.outcome.state == StateBlob{5 + 2, std::string("\0\1\2", 3)});  // the key ends with .g2
  CHECK(done.outcome.details_json == R"({"metadata":{"cart":"88f1"}})");
}

TEST_CASE("two instances of one library have settings of their own") {
  Completions completions;
  Registry registry(test_options(), {plugin("abi_scripted.so", {{"account", "eu"}}, {}, "stripe-eu"),
                                     plugin("abi_scripted.so", {{"account", "us"}}, {}, "stripe-us")});
  registry.start(completions.sink());
  Command one = command("full");
  one.lines = {{1, "SKU-1", 1, 1}};
  registry.step("stripe-eu").execute({one});
  CHECK(completions.wait(1).at(0).outcome.message == "eu");
  registry.step("stripe-us").execute({one});
  CHECK(completions.wait(2).at(1).outcome.message == "us");
}

TEST_CASE("a second completion of a command changes nothing") {
  Running host(plugin("abi_scripted.so"));
  CHECK(host.run(command("double")).outcome.kind == OutcomeKind::done);
  host.run(command("inline"));
  CHECK(host.completions.count() == 2);
}

TEST_CASE("a foreign ticket is refused and the command itself still completes") {
  Running host(plugin("abi_scripted.so"));
  CHECK(host.run(command("foreign")).outcome.kind == OutcomeKind::done);
}

TEST_CASE("an outcome that makes no sense is UNKNOWN") {
  Running host(plugin("abi_scripted.so"));
  for (const char* method : {"garbage", "short", "null"}) {
    const Outcome outcome = host.run(command(method)).outcome;
    CHECK(outcome.kind == OutcomeKind::unknown);
    CHECK(outcome.code == "GARBAGE");
  }
}

TEST_CASE("a command without an answer is UNKNOWN at its deadline") {
  Running host(plugin("abi_scripted.so"));
  const Outcome outcome = host.run(command("silent", Millis(50))).outcome;
  CHECK(outcome.kind == OutcomeKind::unknown);
  CHECK(outcome.code == "TIMEOUT");
}

TEST_CASE("a plugin that hangs is given up at the deadline, and its late answer is refused") {
  Running host(plugin("abi_scripted.so"));
  CHECK(host.run(command("hang", Millis(50))).outcome.code == "TIMEOUT");
  CHECK(host.run(command("inline")).outcome.kind == OutcomeKind::done);
  CHECK(host.completions.count() == 2);
}

TEST_CASE("commands that wait behind a hanging plugin surely did not begin") {
  Options options = test_options();
  options.commands_queued_max = 1;
  InstanceConfig config = plugin("abi_scripted.so");
  config.threads = 1;
  Running host(config, options);
  StepPort& step = host.registry.step("one");
  // The first hangs; of the next some wait until their deadline, and what does not fit is given back at once.
  step.execute({command("hang", Millis(400))});
  for (int i = 0; i < 3; ++i) step.execute({command("silent", Millis(100))});
  const auto all = host.completions.wait(4);
  REQUIRE(all.size() == 4);
  std::multiset<std::string> codes;
  for (const Completion& one : all) {
    codes.insert(one.outcome.code);
    CHECK(one.outcome.kind == (one.outcome.code == "TIMEOUT" ? OutcomeKind::unknown : OutcomeKind::retry));
  }
  CHECK(codes.count("BUSY") >= 1);
  CHECK(codes.count("TIMEOUT") >= 1);
}

TEST_CASE("without threads of its own, a plugin has been called when execute() returns") {
  InstanceConfig config = plugin("abi_scripted.so");
  config.threads = 0;
  Running host(config);
  StepPort& step = host.registry.step("one");
  step.execute(std::vector<Command>(150, command("inline")));
  CHECK(host.completions.count() == 150);
  step.execute({command("hang", Millis(50))});  // returns when the watcher has given it up
  const auto all = host.completions.wait(151);
  REQUIRE(all.size() == 151);
  CHECK(all.back().outcome.code == "TIMEOUT");
  CHECK(host.run(command("thread")).outcome.kind == OutcomeKind::done);
  CHECK(host.run(command("busy")).outcome.code == "REFUSED");
  host.registry.stop();
  CHECK(host.run(command("inline")).outcome.code == "NOT_BEGUN");
}

TEST_CASE("a batch that the plugin refuses surely did not begin, one that fails inside is UNKNOWN") {
  Running host(plugin("abi_scripted.so"));
  const Outcome busy = host.run(command("busy")).outcome;
  CHECK(busy.kind == OutcomeKind::retry);
  CHECK(busy.code == "REFUSED");
  const Outcome failed = host.run(command("fail")).outcome;
  CHECK(failed.kind == OutcomeKind::unknown);
  CHECK(failed.code == "PLUGIN_FAILED");
}

TEST_CASE("an exception in a plugin is UNKNOWN, with the SDK's barrier and without") {
  Running with(plugin("abi_strict.so"));
  const Outcome thrown = with.run(command("throw")).outcome;
  CHECK(thrown.kind == OutcomeKind::unknown);
  CHECK(thrown.message == "a bug in the plugin");
  CHECK(with.run(command("throw after taking")).outcome.code == "NO_ANSWER");
  CHECK(with.run(command("drop")).outcome.code == "NO_ANSWER");
  Running without(plugin("abi_unshielded.so"));
  CHECK(without.run(command("")).outcome.kind == OutcomeKind::unknown);
}

TEST_CASE("declined and pending carry their reason and their next action") {
  Running host(plugin("abi_strict.so", {{"limit", "40"}}));
  const Outcome declined = host.run(command("")).outcome;
  CHECK(declined.kind == OutcomeKind::declined);
  CHECK(declined.code == "FRAUD");
  CHECK_FALSE(declined.hard);
  Command small = command("");
  small.amount = 40;
  const Outcome pending = host.run(small).outcome;
  CHECK(pending.kind == OutcomeKind::pending);
  CHECK(pending.next_action == NextAction{"redirect", "https://example.com/3ds"});
  CHECK(pending.expires == small.deadline);
}

TEST_CASE("a step says what it is") {
  Running host(plugin("abi_scripted.so"));
  StepPort& step = host.registry.step("one");
  CHECK(step.supports("payment.authorize"));
  CHECK_FALSE(step.supports("payment.refund"));
  CHECK_FALSE(step.transactional());
  CHECK(step.can_query());
  CHECK(step.idempotency_window() == std::chrono::hours(24));
}

TEST_CASE("what is open when the host stops is UNKNOWN, and nothing is taken afterwards") {
  Running host(plugin("abi_scripted.so"));
  host.registry.step("one").execute({command("silent")});
  host.registry.stop();
  REQUIRE(host.completions.count() == 1);
  CHECK(host.completions.wait(1)[0].outcome.kind != OutcomeKind::done);
  host.registry.step("one").execute({command("inline")});
  CHECK(host.completions.wait(2).at(1).outcome.kind == OutcomeKind::retry);
}

TEST_CASE("every command of many threads is completed exactly once") {
  Running host(plugin("abi_scripted.so"));
  StepPort& step = host.registry.step("one");
  constexpr int threads = 4, each = 200;
  std::vector<std::thread> callers;
  for (int t = 0; t < threads; ++t)
    callers.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        Command one = command(i % 2 ? "inline" : "double");
        one.key = std::to_string(t) + "." + std::to_string(i);
        step.execute({one});
      }
    });
  for (std::thread& caller : callers) caller.join();
  const auto all = host.completions.wait(threads * each);
  std::set<std::string> keys;
  for (const Completion& one : all) keys.insert(one.key);
  CHECK(all.size() == threads * each);
  CHECK(keys.size() == threads * each);
}

TEST_CASE("a command whose deadline has passed is not handed over: it surely had no effect") {
  for (const bool isolated : {false, true}) {
    InstanceConfig config = plugin("abi_scripted.so", {}, {"orderd.step/1"});
    config.isolated = isolated;
    Running host(config);
    const Completion late = host.run(command("inline", Millis(-1)));
    CHECK(late.outcome.kind == OutcomeKind::retry);
    CHECK(late.outcome.code == "NOT_BEGUN");
  }
}

}  // namespace
}  // namespace orderd::plugins
