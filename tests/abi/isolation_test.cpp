// Plugins in a process of their own: the same answers as in this one, and what their death costs.
#include <fcntl.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <set>

#include "base/metrics.h"
#include "harness.h"

namespace orderd::plugins {
namespace {

InstanceConfig isolated(const std::string& library, std::map<std::string, std::string> settings = {},
                        const std::string& name = "one") {
  InstanceConfig config = plugin(library, std::move(settings), {"orderd.step/1"}, name);
  config.isolated = true;
  return config;
}

/// Until the process is there again, or ten seconds have passed.
Completion run_until_up(Running& host, const Command& one) {
  Completion answer = host.run(one);
  for (int i = 0; i < 100 && answer.outcome.kind == OutcomeKind::retry; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the pause that its code asks for
    answer = host.run(one);
  }
  return answer;
}

/// The only child of this process whose program is the runner.
pid_t runner_pid() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    std::ifstream stat(entry.path() / "stat");
    std::string line;
    std::getline(stat, line);
    const auto end = line.rfind(") ");
    if (line.find("(orderd-plugin-r") == line.npos || end == line.npos) continue;
    if (std::stoi(line.substr(end + 4)) == getpid()) return std::stoi(name);
  }
  return -1;
}

/// A provider's call, as abi_hooked knows it.
WebhookRequest refund(const std::string& signature) {
  WebhookRequest request;
  request.method = "POST";
  request.headers = {{"x-signature", signature}};
  request.body = "refund";
  request.received = Time(Millis(1'700'000'000'000));
  return request;
}

TEST_CASE("an isolated plugin answers as one in this process does, down to the last field") {
  Running near(plugin("abi_scripted.so")), far(isolated("abi_scripted.so"));
  for (const char* method : {"inline", "thread", "full"}) {
    INFO(method);
    Command one = command(method);
    one.lines = {{1, "SKU-1", 2, 25}};
    one.state = {3, std::string("\0\x01kept", 6)};
    const Completion a = near.run(one), b = far.run(one);
    CHECK(b.order_id == one.order_id);
    CHECK(b.key == one.key);
    CHECK(b.plugin_digest == a.plugin_digest);
    CHECK(b.outcome.kind == a.outcome.kind);
    CHECK(b.outcome.code == a.outcome.code);
    CHECK(b.outcome.message == a.outcome.message);
    CHECK(b.outcome.totals == a.outcome.totals);
    CHECK(b.outcome.provider_reference == a.outcome.provider_reference);
    CHECK(b.outcome.state == a.outcome.state);
    CHECK(b.outcome.next_action == a.outcome.next_action);
    CHECK(b.outcome.details_json == a.outcome.details_json);
  }
  const BuildInfo info = far.registry.infos().front();
  CHECK(info.isolated);
  CHECK(info.plugin == "scripted");
  CHECK(far.registry.step("one").supports("payment.authorize") ==
        near.registry.step("one").supports("payment.authorize"));
  CHECK(far.registry.step("one").can_query() == near.registry.step("one").can_query());
}

TEST_CASE("a batch of commands crosses at once, and every one is answered once") {
  Running host(isolated("abi_scripted.so"));
  std::vector<Command> many;
  for (int i = 0; i < 500; ++i) {
    many.push_back(command("inline"));
    many.back().key = "pay-" + std::to_string(i) + ".authorize.1.g1";
  }
  host.registry.step("one").execute(many);
  const auto all = host.completions.wait(many.size());
  REQUIRE(all.size() == many.size());
  std::set<std::string> keys;
  for (const Completion& one : all) keys.insert(one.key);
  CHECK(keys.size() == many.size());
}

TEST_CASE("a plugin that crashes is an UNKNOWN for what it had, and is there again") {
  Running host(isolated("abi_scripted.so"));
  const Completion crashed = host.run(command("crash"));
  CHECK(crashed.outcome.kind == OutcomeKind::unknown);
  CHECK(crashed.outcome.code == "PLUGIN_DIED");
  CHECK(run_until_up(host, command("inline")).outcome.kind == OutcomeKind::done);
}

TEST_CASE("a process that is killed is nothing to another plugin") {
  Running other(plugin("abi_scripted.so", {}, {}, "one")), host(isolated("abi_scripted.so"));
  REQUIRE(host.run(command("inline")).outcome.kind == OutcomeKind::done);
  const pid_t pid = runner_pid();
  REQUIRE(pid > 0);
  host.registry.step("one").execute({command("silent")});
  REQUIRE(::kill(pid, SIGKILL) == 0);
  CHECK(other.run(command("inline")).outcome.kind == OutcomeKind::done);
  const auto lost = host.completions.wait(2);
  REQUIRE(lost.size() == 2);
  CHECK(lost[1].outcome.kind != OutcomeKind::done);
  CHECK(run_until_up(host, command("inline")).outcome.kind == OutcomeKind::done);
  CHECK(runner_pid() != pid);
}

TEST_CASE("an upgrade that replaces the runner's file is nothing to a host that is up") {
  const auto folder = std::filesystem::temp_directory_path() / ("orderd-runner-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const auto file = folder / "orderd-plugin-runner";
  std::filesystem::copy_file(PLUGIN_RUNNER, file);
  Options options = test_options();
  options.runner = std::make_shared<const Descriptor>(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  {
    Running host(isolated("abi_scripted.so"), options);
    std::ofstream(folder / "next") << "#!/bin/false\n";
    std::filesystem::rename(folder / "next", file);  // as dpkg and rpm do
    host.registry.step("one").execute({command("silent")});
    REQUIRE(::kill(runner_pid(), SIGKILL) == 0);
    REQUIRE(host.completions.wait(1).size() == 1);
    CHECK(run_until_up(host, command("inline")).outcome.kind == OutcomeKind::done);
    const auto runs = std::filesystem::read_symlink("/proc/" + std::to_string(runner_pid()) + "/exe");
    CHECK(runs == file.string() + " (deleted)");
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("an isolated plugin whose threads never come back is made again") {
  InstanceConfig config = isolated("abi_scripted.so");
  config.threads = 1;
  Running host(config);
  CHECK(host.run(command("for ever", Millis(50))).outcome.code == "TIMEOUT");
  CHECK(host.run(command("inline")).outcome.code == "PLUGIN_DIED");  // it waited in that process
  CHECK(run_until_up(host, command("inline")).outcome.kind == OutcomeKind::done);
}

TEST_CASE("an isolated plugin may do without threads of its own") {
  InstanceConfig config = isolated("abi_scripted.so");
  config.threads = 0;
  Running host(config);
  host.registry.step("one").execute(std::vector<Command>(150, command("inline")));
  for (const Completion& one : host.completions.wait(150)) CHECK(one.outcome.kind == OutcomeKind::done);
  CHECK(host.completions.count() == 150);
}

TEST_CASE("a process that is frozen is killed and made again") {
  Running host(isolated("abi_scripted.so"));
  REQUIRE(host.run(command("inline")).outcome.kind == OutcomeKind::done);
  REQUIRE(::kill(runner_pid(), SIGSTOP) == 0);
  const Completion lost = host.run(command("inline", Millis(30'000)));
  CHECK(lost.outcome.kind == OutcomeKind::unknown);
  CHECK(run_until_up(host, command("inline")).outcome.kind == OutcomeKind::done);
}

TEST_CASE("an isolated plugin that refuses its settings says so as if it were here") {
  CHECK_THROWS_WITH(Running(isolated("abi_strict.so", {{"limit", "much"}})),
                    Catch::Contains("strict 2.1.0 refused init(): setting \"limit\" is \"much\""));
  CHECK_THROWS_WITH(Running(isolated("abi_odd2.so")), Catch::Contains("it was built for plugin ABI 7"));
}

TEST_CASE("a plugin that works in the host's transaction cannot be isolated, and the way out is named") {
  CHECK_THROWS_WITH(Running(isolated("abi_ledger.so")),
                    Catch::Contains("which cannot leave its process; set plugin.one.isolation = none"));
}

TEST_CASE("webhooks cross to an isolated plugin and back with all they carry") {
  Running host(isolated("abi_hooked.so"));
  WebhookPort* port = host.registry.webhook("one");
  REQUIRE(port);
  const WebhookResult taken = port->handle(refund("good"));
  REQUIRE(taken.kind == WebhookResult::Kind::taken);
  REQUIRE(taken.events.size() == 1);
  CHECK(taken.events[0].event_id == "evt_1");
  CHECK(taken.events[0].command_key == "pay-1.refund.1.g1");
  CHECK(taken.events[0].outcome.totals == PaymentTotals{100, 100, 40, 0});
  CHECK(taken.reply_status == 200);
  CHECK(port->handle(refund("forged")).kind == WebhookResult::Kind::refused);
}

TEST_CASE(
    "a webhook that comes while the plugin's process is away keeps nothing, and the next one is taken") {
  Running host(isolated("abi_hooked.so"));
  WebhookPort* port = host.registry.webhook("one");
  const WebhookRequest request = refund("good");
  REQUIRE(port->handle(request).kind == WebhookResult::Kind::taken);
  REQUIRE(::kill(runner_pid(), SIGKILL) == 0);
  WebhookResult::Kind kind = port->handle(request).kind;
  CHECK(kind == WebhookResult::Kind::failed);
  for (int i = 0; i < 100 && kind == WebhookResult::Kind::failed; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    kind = port->handle(request).kind;
  }
  CHECK(kind == WebhookResult::Kind::taken);
}

}  // namespace
}  // namespace orderd::plugins
