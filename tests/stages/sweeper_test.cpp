#include "reconcile/sweeper.h"

#include <atomic>
#include <deque>

#include "reconcile/unknown.h"
#include "saga/storage/inbox.h"
#include "saga/storage/postgres.h"
#include "stages/support.h"

using namespace orderd;
using namespace orderd::test;

namespace {

/// A provider that answers each question for its list with the next page.
class Provider final : public plugins::StepPort {
 public:
  explicit Provider(std::string name) : name_(std::move(name)) {}
  const std::string& instance() const override { return name_; }
  const std::string& digest() const override { return name_; }
  bool supports(std::string_view action) const override { return action == "payment.list_since"; }
  bool transactional() const override { return false; }
  bool can_query() const override { return true; }
  Millis idempotency_window() const override { return Millis(0); }
  void execute(std::vector<Command> commands) override {
    for (const Command& command : commands) {
      ++asks;
      asked.push_back(command.details_json);
      Completion completion;
      completion.key = command.key;
      completion.outcome.kind = pages.empty() ? OutcomeKind::retry : OutcomeKind::done;
      if (!pages.empty()) {
        completion.outcome.details_json = pages.front();
        pages.pop_front();
      }
      CHECK(sweeper->take(completion));
    }
  }
  std::vector<Outcome> execute_in(plugins::TxPort&, const std::vector<Command>&) override { return {}; }

  std::deque<std::string> pages;
  std::atomic<int> asks{0};
  std::vector<std::string> asked;
  reconcile::Sweeper* sweeper = nullptr;

 private:
  const std::string name_;
};

struct World {
  World() {
    reconcile::Options options{database.options()};
    options.interval = std::chrono::seconds(3600);
    sweeper = std::make_unique<reconcile::Sweeper>(options, [this] {
      return std::vector<plugins::StepPort*>{&provider, &second};
    });
    provider.sweeper = second.sweeper = sweeper.get();
  }
  auto sweep() { return sweeper->sweep(database.session(), provider, {}); }
  /// An order that was paid and whose saga ended `ago`.
  Uuid settled(std::chrono::seconds ago, const Uuid& id = Uuid::v7()) {
    saga::Saga saga;
    saga.order_id = id;
    saga.status = Status::confirmed;
    saga.mode = saga::Mode::finished;
    saga.payment.authorized = saga.payment.captured = 1000;
    saga.updated = now() - ago;
    database.script("insert into order_state (id, shard, status, version, payment_status) values ('" +
                    id.to_string() + "', 3, 1, 1, 1)");
    database.script("insert into saga_journal (order_id, at, data) values ('" + id.to_string() +
                    "', now() - " + std::to_string(ago.count()) + " * interval '1 second', '" +
                    to_json(saga) + "')");
    return id;
  }
  static std::string page(const std::vector<std::pair<std::string, PaymentTotals>>& payments,
                          const std::string& cursor = "null") {
    std::string out;
    for (const auto& [subject, totals] : payments)
      out += std::string(out.empty() ? "" : ",") + R"({"subject":")" + subject +
             R"(","reference":"r","authorized":)" + std::to_string(totals.authorized) + R"(,"captured":)" +
             std::to_string(totals.captured) + R"(,"refunded":)" + std::to_string(totals.refunded) +
             R"(,"voided":)" + std::to_string(totals.voided) + "}";
    return R"({"payments":[)" + out + R"(],"cursor":)" + cursor + "}";
  }
  std::vector<std::pair<Uuid, saga::Notice>> notices() {
    static constexpr store::Statement read{"test_inbox", "select order_id, data from saga_inbox order by id"};
    const auto rows = database.session().run(read);
    std::vector<std::pair<Uuid, saga::Notice>> out;
    for (int i = 0; i < rows.size(); ++i)
      out.emplace_back(rows.uuid(i, 0),
                       std::get<saga::Notice>(*saga::read_inbox(saga::InboxKind::notice, rows.jsonb(i, 1))));
    return out;
  }
  template <typename Condition>
  void run_until(Condition condition) {
    std::jthread thread([this](std::stop_token stop) { sweeper->run(stop); });
    CHECK(eventually(condition));
  }
  void make_due() { database.script("update sweeps set next_at = now()"); }

  TestDatabase database;
  Provider provider{"bank"}, second{"bank-2"};
  std::unique_ptr<reconcile::Sweeper> sweeper;
};

constexpr std::chrono::seconds hour{3600};

void sweep_known(World& world, const std::string& subject) {
  world.provider.pages = {World::page({{subject, {1000, 1000, 0, 0}}})};
  world.make_due();
  CHECK(world.sweep()->unknown == 0);
}

}  // namespace

TEST_CASE("A sweep tells sagas of what the provider knows otherwise, over all pages") {
  World world;
  const Uuid same = world.settled(hour), refunded = world.settled(hour), reversed = world.settled(hour);
  const Uuid moving = world.settled(std::chrono::seconds(1));
  world.provider.pages = {
      World::page({{same.to_string(), {1000, 1000, 0, 0}}, {refunded.to_string(), {1000, 1000, 400, 0}}},
                  R"("next")"),
      World::page({{reversed.to_string(), {1000, 0, 0, 0}},
                   {moving.to_string(), {1000, 1000, 1000, 0}},
                   {Uuid::v7().to_string(), {500, 500, 0, 0}},
                   {"of another shop", {500, 500, 0, 0}}})};
  const auto sweep = world.sweep();
  REQUIRE(sweep);
  CHECK(sweep->whole);
  CHECK(sweep->compared == 6);
  CHECK(sweep->behind == 1);
  CHECK(sweep->reversed == 1);
  CHECK(sweep->unknown == 2);
  const auto notices = world.notices();
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].first == refunded);
  CHECK(notices[0].second.outcome.totals == PaymentTotals{1000, 1000, 400, 0});
  CHECK(notices[1].first == reversed);
  CHECK(notices[1].second.outcome.kind == OutcomeKind::declined);
  REQUIRE(world.provider.asked.size() == 2);
  CHECK(world.provider.asked[1].find(R"("cursor":"next")") != std::string::npos);
}

TEST_CASE("A provider is swept once an interval, by whichever host comes first") {
  World world;
  world.provider.pages = {World::page({}), World::page({})};
  CHECK(world.sweep());
  CHECK_FALSE(world.sweep());
  world.make_due();
  CHECK(world.sweep());
}

TEST_CASE("A sweep that does not come to its end begins again from the same moment") {
  World world;
  world.provider.pages = {World::page({}, R"("next")")};  // the second page never comes
  const auto broken = world.sweep();
  REQUIRE(broken);
  CHECK_FALSE(broken->whole);
  world.provider.pages = {World::page({})};
  world.make_due();
  CHECK(world.sweep()->whole);
  REQUIRE(world.provider.asked.size() == 3);
  CHECK(world.provider.asked[0] == world.provider.asked[2]);
  world.provider.pages = {World::page({})};
  world.make_due();
  CHECK(world.sweep()->whole);
  CHECK(world.provider.asked[3] != world.provider.asked[0]);
}

TEST_CASE("A list that names its own cursor as the next one ends") {
  World world;
  world.provider.pages = {World::page({}, R"("a")"), World::page({}, R"("a")"), World::page({}, R"("a")")};
  CHECK(world.sweep()->whole);
  CHECK(world.provider.pages.size() == 1);
}

TEST_CASE("Payments of no order are kept until a person has acknowledged them", "[unknown]") {
  World world;
  const std::string lost = Uuid::v7().to_string();
  const auto sweep = [&](std::int64_t captured) {
    world.provider.pages = {
        World::page({{lost, {500, captured, 0, 0}}, {"of another\\u0000shop", {7, 0, 0, 0}}})};
    world.make_due();
    CHECK(world.sweep()->unknown == 2);
  };
  sweep(0);
  const auto first = reconcile::list_unknown(world.database.session(), std::nullopt, false, 10);
  REQUIRE(first.size() == 2);
  sweep(500);
  world.provider.pages = {World::page({})};
  world.make_due();
  CHECK(world.sweep()->unknown == 0);
  const auto kept = reconcile::list_unknown(world.database.session(), "bank", false, 10);
  REQUIRE(kept.size() == 2);
  const auto& one = kept[kept[0].payment.subject == lost ? 0 : 1];
  CHECK(one.payment.totals == PaymentTotals{500, 500, 0, 0});
  CHECK(one.payment.reference == "r");
  CHECK(one.first_seen == first[kept[0].payment.subject == lost ? 0 : 1].first_seen);
  CHECK(reconcile::count_unknown(world.database.session()).at("bank") == 2);
  store::UnitOfWork work(world.database.session());
  CHECK(reconcile::acknowledge(work, {one.id, 4711}, "anna", "refunded by hand").size() == 1);
  work.commit();
  sweep(500);
  CHECK(reconcile::count_unknown(world.database.session()).at("bank") == 1);
  CHECK(reconcile::list_unknown(world.database.session(), "bank", true, 10).size() == 2);
  world.settled(hour, *Uuid::parse(lost));  // its order is there after all
  sweep_known(world, lost);
  CHECK(reconcile::list_unknown(world.database.session(), "bank", true, 10).size() == 1);
}

TEST_CASE("A sweep that a person asks for is due at once, from the moment that is named", "[unknown]") {
  World world;
  world.provider.pages = {World::page({}), World::page({})};
  CHECK(world.sweep()->whole);
  const Time moment = now() - std::chrono::hours(72);
  store::UnitOfWork work(world.database.session());
  CHECK(reconcile::ask_for_sweep(work, std::nullopt, moment) == std::vector<std::string>{"bank"});
  CHECK(reconcile::ask_for_sweep(work, "nobody", std::nullopt).empty());
  work.commit();
  CHECK(world.sweep()->whole);
  CHECK(world.provider.asked[1].find(std::to_string(moment.time_since_epoch().count())) != std::string::npos);
}

TEST_CASE("Every instance that has a list is swept, whoever names it") {
  World world;
  world.provider.pages = world.second.pages = {World::page({})};
  world.run_until([&] { return world.provider.asks > 0 && world.second.asks > 0; });
}

TEST_CASE("Completions of others are not the sweeper's") {
  World world;
  Completion other;
  other.key = Uuid::v7().to_string() + ".payment.capture.2.g1";
  CHECK_FALSE(world.sweeper->take(other));
}

TEST_CASE("The last of an order's journal is the one that knows most, whatever the clocks said") {
  World world;
  const Uuid id = world.settled(std::chrono::seconds(-3600));  // by a host whose clock was an hour ahead
  saga::Saga later;
  later.order_id = id;
  later.version = 2;
  later.mode = saga::Mode::finished;
  later.reference = "later";
  world.database.script("insert into saga_journal (order_id, at, data) values ('" + id.to_string() +
                        "', now(), '" + to_json(later) + "')");
  const store::SecretBox box(std::string(32, 'k'));
  saga::PgStore sagas(world.database.options(), {"saga", Uuid::v7()}, box);
  world.database.script(
      "insert into order_events (order_id, version, shard, pos, type, at, payload, traceparent) values ('" +
      id.to_string() + "', 1, 3, 1, 1, now(), '{}', '')");
  const auto found = sagas.look_up({id});
  REQUIRE(found.contains(id));
  REQUIRE(found.at(id).finished);
  CHECK(found.at(id).finished->reference == "later");
}
