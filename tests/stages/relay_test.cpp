#include "relay/relay.h"

#include "stages/support.h"

using namespace orderd;
using namespace orderd::test;

namespace {

/// A broker that takes everything and reports what the test lets it.
class SlowBroker final : public bus::Publisher {
 public:
  struct Seen {
    std::vector<bus::Outgoing> taken;
    bool reports = false;
  };
  explicit SlowBroker(Seen& seen) : seen_(seen) {}
  std::size_t publish(const std::vector<bus::Outgoing>& events) override {
    seen_.taken.insert(seen_.taken.end(), events.begin(), events.end());
    return events.size();
  }
  Progress poll(std::chrono::milliseconds) override {
    Progress progress;
    if (seen_.reports && reported_ < seen_.taken.size()) {
      progress.acknowledged = {{seen_.taken.back().partition, seen_.taken.back().outbox_position}};
      reported_ = seen_.taken.size();
    }
    return progress;
  }

 private:
  Seen& seen_;
  std::size_t reported_ = 0;
};

}  // namespace

TEST_CASE("The relay's position waits for the broker's report, so that a crash loses nothing", "[relay]") {
  TestDatabase database;
  append_events(database, 2, 3);
  SlowBroker::Seen seen;
  const auto position = [&] {
    return database.number("select max(pos) from positions where consumer = 'relay'");
  };
  {
    relay::Relay relay(database.options(), lease_of("relay"), std::make_unique<SlowBroker>(seen));
    REQUIRE(eventually([&] { return relay.turn(no_wait) && seen.taken.size() == 3; }));
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
    while (std::chrono::steady_clock::now() < until) REQUIRE(relay.turn(no_wait));
    CHECK(position() == -1);
  }
  // Another host goes on where the broker had not answered.
  database.script("update positions set owner = null, lease_until = '-infinity'; delete from hosts");
  seen.taken.clear();
  seen.reports = true;
  relay::Relay relay(database.options(), lease_of("relay"), std::make_unique<SlowBroker>(seen));
  REQUIRE(eventually([&] { return relay.turn(no_wait) && position() == 3; }));
  CHECK(seen.taken.size() == 3);
}
