#include "sim/world.h"

#include "saga/core/state.h"
#include "sim/bus.h"
#include "sim/follower.h"
#include "sim/host.h"
#include "sim/judge.h"
#include "sim/people.h"
#include "sim/provider.h"
#include "sim/warehouse.h"

namespace orderd::sim {
namespace {

/// By then, faults being over and operators at work, nothing has a reason left to wait.
constexpr Millis settles_within{180'000};

}  // namespace

World::World(std::uint64_t seed, bool traced_as)
    : traced(traced_as), random(seed), plan(draw_plan(random)), began(clock.now()) {
  tables.owners.clear();
  for (int shard = 0; shard < plan.shards; ++shard) tables.owners[static_cast<std::int16_t>(shard)] = {};
  tables.stock.on_hand = plan.pieces;
  provider = std::make_unique<Provider>(*this);
  warehouse = std::make_unique<Warehouse>(*this);
  checker = std::make_unique<Checker>(*this);
  bus = std::make_unique<Bus>(*this);
  people = std::make_unique<People>(*this);
  follower = std::make_unique<Follower>(*this);
  judge = std::make_unique<Judge>(*this);
  for (int i = 0; i < plan.hosts; ++i) hosts.push_back(std::make_unique<Host>(*this, i));
}

World::~World() = default;

void World::run() {
  say([&] { return describe(plan); });
  people->arrive();
  while (now() - began < plan.calm_after || !people->all_came()) {
    const int pace = random.below(10);
    step(pace < 4 ? random.ms(1, 20) : pace < 9 ? random.ms(20, 150) : random.ms(150, 600));
  }
  calm = true;
  say([] { return "-- calm: nothing new goes wrong"; });
  const Time end = now() + settles_within;
  while (!settled()) {
    step(random.ms(10, 300));
    if (now() > end) throw Wrong("not settled: " + unsettled());
  }
  judge->at_the_end();
}

void World::step(Millis time) {
  clock.pass(time);
  agenda.run(now());
  if (per_mille(plan.clock_turns / 10)) {
    hit(Hit::database_clock_turned);
    database_turned = random.ms(0, 60'000) - Millis(30'000);
    say([&] { return "the database's clock is off by " + std::to_string(database_turned.count()) + " ms"; });
  }
  judge->look();
  people->turn();
  bus->turn();
  for (const auto& host : hosts) {
    if (host->is_frozen() || random.chance(30)) continue;
    host->turn();
    judge->look();
  }
  follower->turn();
}

void World::freeze(Host& host) {
  if (frozen_inside_) return;
  frozen_inside_ = true;
  say([&] { return host.name() + " freezes"; });
  host.set_frozen(true);
  const Time until = now() + random.ms(500, 6000);
  while (now() < until) step(random.ms(10, 400));
  host.set_frozen(false);
  say([&] { return host.name() + " goes on"; });
  frozen_inside_ = false;
}

bool World::settled() const {
  if (!tables.sagas.empty() || !tables.inbox.empty() || !agenda.empty() || !bus->is_idle()) return false;
  for (const auto& [id, order] : tables.orders)
    if (!is_final(order.status)) return false;
  return follower->is_level() && people->is_content();
}

std::string World::unsettled() const {
  std::string out;
  for (const auto& [id, order] : tables.orders)
    if (!is_final(order.status)) out += name_of(id) + " is " + std::string(orderd::name(order.status)) + "; ";
  for (const auto& [id, data] : tables.sagas) {
    const auto saga = saga::from_json(data);
    out += "saga of " + name_of(id);
    if (saga->open)
      out += " at " + std::string(saga->open->query ? "query " : "") + saga->open->action + " phase " +
             std::to_string(static_cast<int>(saga->open->phase));
    if (saga->stuck) out += " stuck " + saga->stuck->code + ": " + saga->stuck->message;
    out += "; ";
  }
  out += std::to_string(tables.inbox.size()) + " rows in the inbox";
  if (!agenda.empty()) out += ", something is on its way";
  if (!bus->is_idle()) out += ", the bus lags";
  if (!follower->is_level()) out += ", the read model lags";
  return out;
}

std::string World::name_of(const Uuid& order) const {
  for (std::size_t i = 0; i < placed.size(); ++i)
    if (placed[i] == order) return "order" + std::to_string(i + 1);
  return order.to_string();
}

std::string World::short_key(const std::string& key) const {
  const auto id = Uuid::parse(std::string_view(key).substr(0, 36));
  return id ? name_of(*id) + key.substr(36) : key;
}

void World::write(const std::string& line) {
  std::string time = std::to_string((now() - began).count());
  trace += std::string(7 - std::min<std::size_t>(6, time.size()), ' ') + time + "  " + line + "\n";
}

}  // namespace orderd::sim
