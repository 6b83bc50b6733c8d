#pragma once
// One history: everything there is, one thread, virtual time. A step passes some time, lets happen what is
// due, and gives each part its turn; the judge looks after every one.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/agenda.h"
#include "sim/hits.h"
#include "sim/plan.h"
#include "sim/random.h"
#include "support/saga_tables.h"

namespace orderd::sim {

class Provider;
class Warehouse;
class Checker;
class Bus;
class Host;
class People;
class Follower;
class Judge;

/// What the judge complains of. No std::exception: the engine lives through those, and shall not through
/// this.
struct Wrong {
  explicit Wrong(std::string what) : text(std::move(what)) {}
  std::string text;
};

struct World {
  World(std::uint64_t seed, bool traced);
  ~World();
  /// To the end; throws Wrong.
  void run();

  Time now() const { return clock.now(); }
  /// Whether something goes wrong now.
  bool chance(int percent) { return !calm && percent > 0 && random.chance(percent); }
  bool per_mille(int parts) { return !calm && parts > 0 && random.per_mille(parts); }
  void hit(Hit one) { hits.set(static_cast<std::size_t>(one)); }
  template <typename Text>
  void say(Text&& text) {
    if (traced) write(text());
  }
  std::string name_of(const Uuid& order) const;
  /// A key with the order's short name instead of its id.
  std::string short_key(const std::string& key) const;
  /// Time passes and all others go on, while this host does not.
  void freeze(Host& host);
  bool is_over(const Uuid& order) const { return is_terminal(tables.orders.at(order).status); }

  const bool traced;
  Random random;
  const Plan plan;
  saga::test::ManualClock clock;
  saga::test::Tables tables;
  Agenda agenda;
  Hits hits;
  bool calm = false;
  Millis database_turned{0};  // how wrong PostgreSQL's clock is
  Time began{};
  std::string trace;
  std::vector<Uuid> placed;
  int crashes = 0, calls = 0;
  std::unique_ptr<Provider> provider;
  std::unique_ptr<Warehouse> warehouse;
  std::unique_ptr<Checker> checker;
  std::unique_ptr<Bus> bus;
  std::vector<std::unique_ptr<Host>> hosts;
  std::unique_ptr<People> people;
  std::unique_ptr<Follower> follower;
  std::unique_ptr<Judge> judge;

 private:
  void step(Millis time);
  bool settled() const;
  void write(const std::string& line);
  std::string unsettled() const;
  bool frozen_inside_ = false;
};

}  // namespace orderd::sim
