// An isolated plugin's process that was taken over: what it sends is judged as what a plugin says here is.
#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <future>

#include "harness.h"

namespace orderd::plugins {
namespace {

using Settings = std::map<std::string, std::string>;

struct Hostile : Running {
  static InstanceConfig config(const Settings& settings) {
    InstanceConfig one = plugin("abi_scripted.so", settings, {"orderd.step/1"});
    one.isolated = true;
    return one;
  }
  static Options options() {
    Options all = test_options();
    all.runner = std::make_shared<const Descriptor>(::open(HOSTILE_RUNNER, O_RDONLY | O_CLOEXEC));
    return all;
  }
  explicit Hostile(const Settings& settings = {}) : Running(config(settings), options()) {}
};

TEST_CASE("nonsense from an isolated plugin's process ends it, and counts as UNKNOWN") {
  for (const char* how : {"deep", "script", "nul", "later", "time", "long", "blob", "money", "kind", "answer",
                          "cut", "stranger", "unasked", "metric", "endless", "closes"}) {
    INFO(how);
    Hostile host;
    REQUIRE(host.run(command("honest")).outcome.kind == OutcomeKind::done);
    const Completion told = host.run(command(how));
    CHECK(told.outcome.kind == OutcomeKind::unknown);
    CHECK(told.outcome.code == "PLUGIN_DIED");
    CHECK(told.outcome.details_json.empty());
  }
}

TEST_CASE("after nonsense the process is made again, and serves") {
  Hostile host;
  CHECK(host.run(command("script")).outcome.code == "PLUGIN_DIED");
  Completion next = host.run(command("honest"));
  for (int i = 0; i < 100 && next.outcome.kind == OutcomeKind::retry; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the pause that its code asks for
    next = host.run(command("honest"));
  }
  CHECK(next.outcome.kind == OutcomeKind::done);
}

TEST_CASE("a stop does not wait for a process that is being made again") {
  const auto mark = std::filesystem::temp_directory_path() / ("orderd-once-" + std::to_string(getpid()));
  const std::filesystem::path again = mark.string() + ".again";
  std::filesystem::remove(mark), std::filesystem::remove(again);
  Hostile host(Settings{{"once", mark.string()}});
  REQUIRE(host.run(command("script")).outcome.code == "PLUGIN_DIED");
  for (int i = 0; i < 200 && !std::filesystem::exists(again); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  REQUIRE(std::filesystem::exists(again));  // it says no hello, for ever
  auto stopped = std::async(std::launch::async, [&] { host.registry.stop(); });
  CHECK(stopped.wait_for(std::chrono::seconds(5)) == std::future_status::ready);  // a hello may take 10
  stopped.wait();
  std::filesystem::remove(mark), std::filesystem::remove(again);
}

TEST_CASE("an isolated plugin sees of the host's environment what its settings name, and no secrets") {
  REQUIRE(setenv("ORDERD_POSTGRES_URL", "postgres://u:secret@db/o", 1) == 0);
  REQUIRE(setenv("BANK_KEY", "sk_live_1", 1) == 0);
  CHECK(Hostile().run(command("environment")).outcome.message.empty());
  CHECK(Hostile(Settings{{"key", "env:BANK_KEY"}}).run(command("environment")).outcome.message ==
        "BANK_KEY=sk_live_1 ");
  unsetenv("ORDERD_POSTGRES_URL"), unsetenv("BANK_KEY");
}

}  // namespace
}  // namespace orderd::plugins
