#include "sim/host.h"

#include "sim/bus.h"
#include "sim/judge.h"
#include "sim/provider.h"
#include "sim/warehouse.h"
#include "sim/world.h"
#include "support/saga_world_store.h"

namespace orderd::sim {
namespace {

/// Shorter than a call may take: a host that lost its shards may still have calls to make.
constexpr Millis lease{1800}, maintain_every{500};

}  // namespace

/// A plugin as the host sees it. What plugin_host promises of calls (one completion each, none after its
/// deadline) is Host::send()'s and deliver()'s.
class Port final : public plugins::StepPort {
 public:
  struct Kind {
    std::string name;
    bool transactional = false, can_query = true, can_extend = false;
    Millis window{0};
  };
  Port(World& world, Host& host, Remote& to, Kind kind)
      : world_(world), host_(host), to_(to), kind_(std::move(kind)) {}
  const std::string& instance() const override { return kind_.name; }
  const std::string& digest() const override { return kind_.name; }
  bool supports(std::string_view action) const override {
    return kind_.can_extend || action != "inventory.extend";
  }
  bool transactional() const override { return kind_.transactional; }
  bool can_query() const override { return kind_.can_query; }
  Millis idempotency_window() const override { return kind_.window; }
  std::vector<Outcome> execute_in(plugins::TxPort& tx, const std::vector<Command>& commands) override {
    return execute_here(world_, tx, commands);
  }
  void execute(std::vector<Command> commands) override {
    for (Command& command : commands) {
      host_.moment(Hit::crash_before_call, Hit::freeze_before_call);
      host_.send(to_, kind_.name, std::move(command));
      host_.moment(Hit::crash_after_call, Hit::freeze_before_call);
    }
  }

 private:
  World& world_;
  Host& host_;
  Remote& to_;
  const Kind kind_;
};

class HostStore final : public saga::test::MemoryStore {
 public:
  HostStore(World& world, Host& host, int id)
      : MemoryStore(world.tables, world.clock, id, lease), world_(world), host_(host) {}
  saga::Ownership maintain() override {
    const saga::Ownership change = MemoryStore::maintain();
    for (const auto& [shard, position] : change.gained) {
      if (world_.tables.owners.at(shard).epoch > 1) world_.hit(Hit::takeover);
      world_.say([&, of = shard] { return host_.name() + " takes shard " + std::to_string(of); });
    }
    return change;
  }
  void report(const std::vector<saga::PluginStatus>& plugins) override {
    for (const auto& one : plugins)
      if (one.breaker == "open") world_.hit(Hit::breaker_open);
  }

 private:
  void before_commit() override {
    host_.moment(Hit::crash_before_commit, Hit::freeze_before_commit);
    host_.session_may_break(Hit::session_before_commit);
    for (const auto& [shard, owner] : world_.tables.owners) {
      const auto mine = held().find(shard);
      if (mine != held().end() && mine->second != owner.epoch) world_.hit(Hit::stale_owner_refused);
    }
  }
  void after_commit() override {
    world_.judge->look();
    host_.moment(Hit::crash_after_commit, Hit::freeze_after_commit);
    host_.session_may_break(Hit::session_after_commit);
  }

  World& world_;
  Host& host_;
};

Host::Host(World& world, int number) : world_(world), number_(number), up_at_(world.now()) {}
Host::~Host() = default;

void Host::start() {
  ++incarnation_;
  const Plan& plan = world_.plan;
  const int id = plan.stable_ids ? number_ + 1 : number_ + 1 + 10 * incarnation_;
  store_ = std::make_unique<HostStore>(world_, *this, id);
  reader_ = std::make_unique<Reader>(*world_.bus);
  ports_.clear();
  const auto port = [&](Remote& to, Port::Kind kind) {
    ports_.push_back(std::make_unique<Port>(world_, *this, to, std::move(kind)));
    return ports_.back().get();
  };
  const Port::Kind goods{"stock", plan.goods_here, plan.goods_can_query,
                         !plan.goods_here && plan.reservation > Millis(0), Millis(0)};
  plugins_ = std::make_unique<saga::FixedPlugins>(saga::Slots{
      {"payment", port(*world_.provider, {"bank", false, plan.payment_can_query, false, plan.key_window})},
      {"inventory", port(*world_.warehouse, goods)},
      {"fraud", port(*world_.checker, {"checker", false, plan.goods_can_query, false, Millis(0)})}});
  const bool changed = world_.now() - world_.began > plan.changed_after;
  const int number = changed ? plan.later_definition : plan.definition;
  saga::EngineOptions options;
  options.maintain_every = maintain_every;
  engine_ =
      std::make_unique<saga::Engine>(options, *store_, *reader_, *plugins_,
                                     saga::parse_definition(definition_text(number), "sim"), world_.clock);
  for (const auto& [order, data] : world_.tables.sagas)
    if (saga::from_json(data)->definition != saga::parse_definition(definition_text(number), "sim").digest)
      world_.hit(Hit::other_definition_in_flight);
  world_.say([&] { return name() + " starts with definition " + std::to_string(number); });
}

void Host::die() {
  engine_.reset();
  under_way_.clear();
  mailbox_.clear();
  up_at_ =
      world_.now() + (world_.random.chance(50) ? world_.random.ms(20, 500) : world_.random.ms(500, 6000));
  ++world_.crashes;
  world_.say([&] { return name() + " dies"; });
}

void Host::turn() {
  if (!engine_) {
    if (world_.now() < up_at_) return;
    start();
  }
  try {
    moment(Hit::crash_between, Hit::freeze_between);
    deliver();
    engine_->turn(Millis(0));
  } catch (const Death&) { die(); }
}

void Host::moment(Hit dies, Hit freezes) {
  const int share = dies == Hit::crash_between ? 4 : 1;  // there are many such moments
  if (world_.per_mille(world_.plan.crash / share)) {
    world_.hit(dies);
    world_.say([&] { return name() + ": " + sim::name(dies); });
    throw Death{};
  }
  if (!world_.per_mille(world_.plan.freeze / share)) return;
  world_.hit(freezes);
  world_.freeze(*this);
}

void Host::session_may_break(Hit hit) {
  if (!world_.per_mille(world_.plan.session)) return;
  world_.hit(hit);
  world_.say([&] { return name() + ": " + sim::name(hit); });
  throw saga::StoreError(saga::StoreError::Kind::lost, "the session is gone");
}

void Host::send(Remote& to, const std::string& digest, Command command) {
  const std::uint64_t ticket = ++tickets_;
  if (command.query_key.empty()) world_.judge->sent(command.order_id, command.key);
  world_.say([&] {
    return name() + " calls " + to.name() + ": " + world_.short_key(command.key) +
           (command.amount != 0 ? " " + std::to_string(command.amount) : "");
  });
  if (world_.now() >= command.deadline || world_.chance(world_.plan.payment.busy / 4)) {
    world_.hit(Hit::call_too_late);  // or the queue is full: it is not begun
    mailbox_.push_back({command.order_id, command.key, simple(OutcomeKind::retry, "NOT_BEGUN"), digest});
    return;
  }
  under_way_[ticket] = {command.order_id, command.key, digest, command.deadline};
  to.request({this, incarnation_, ticket}, std::move(command));
}

void Host::answered(const Caller& caller, const Outcome& outcome) {
  if (caller.incarnation != incarnation_) return;
  const auto found = under_way_.find(caller.ticket);
  if (found == under_way_.end() || found->second.deadline <= world_.now()) return;
  mailbox_.push_back({found->second.order, found->second.key, outcome, found->second.digest});
  under_way_.erase(found);
}

void Host::deliver() {
  for (auto one = under_way_.begin(); one != under_way_.end();) {
    const Sent& sent = one->second;
    const bool overdue = sent.deadline <= world_.now();
    if (overdue) {
      world_.hit(Hit::overdue);
      world_.say([&] { return name() + ": overdue " + world_.short_key(sent.key); });
      mailbox_.push_back({sent.order, sent.key, simple(OutcomeKind::unknown, "OVERDUE"), sent.digest});
    }
    one = overdue ? under_way_.erase(one) : std::next(one);
  }
  for (Completion& completion : mailbox_) engine_->complete(std::move(completion));
  mailbox_.clear();
}

}  // namespace orderd::sim
