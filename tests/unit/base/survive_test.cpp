#include "base/survive.h"

#include <catch2/catch.hpp>

#include "base/metrics.h"
#include "base/troubles.h"

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

TEST_CASE("what a part cannot do is in the list until it says that it can") {
  Troubles troubles;
  troubles.say("relay", "waits");
  troubles.say("intake", "refuses");
  CHECK(troubles.list() == std::vector<std::string>{"intake: refuses", "relay: waits"});
  troubles.clear("relay");
  CHECK(troubles.list() == std::vector<std::string>{"intake: refuses"});
}
