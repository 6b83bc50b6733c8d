#include "base/survive.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

#include "base/metrics.h"
#include "base/troubles.h"
#include "base/worker.h"

using namespace orderd;

TEST_CASE("a thread begins again after an error that nobody expected, and it is counted") {
  std::stop_source stop;
  int runs = 0;
  keep_running("test-part", stop.get_token(), [&] {
    if (++runs == 1) throw std::runtime_error("unexpected");
    if (runs == 2) {
      stop.request_stop();
      throw 7;
    }
  });
  CHECK(runs == 2);
  CHECK(metrics().counter("orderd_thread_failures_total", "", {{"part", "test-part"}}).Value() == 2);
}

TEST_CASE("a worker begins again after an error, and ends with its owner") {
  std::promise<void> again;
  std::atomic<int> runs{0};
  {
    const Worker worker("test-worker", [&](const std::stop_token& stop) {
      if (++runs == 1) throw std::runtime_error("unexpected");
      again.set_value();
      pause(stop, std::chrono::hours(1));
    });
    again.get_future().wait();
  }
  CHECK(runs == 2);
  CHECK(metrics().counter("orderd_thread_failures_total", "", {{"part", "test-worker"}}).Value() == 1);
}

TEST_CASE("what a part cannot do is in the list until it says that it can") {
  Troubles troubles;
  troubles.say("relay", "waits");
  troubles.say("intake", "refuses");
  CHECK(troubles.list() == std::vector<std::string>{"intake: refuses", "relay: waits"});
  troubles.clear("relay");
  CHECK(troubles.list() == std::vector<std::string>{"intake: refuses"});
}
