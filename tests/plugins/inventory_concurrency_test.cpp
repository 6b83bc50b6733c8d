// Eight sessions with random batches on few products: nothing is oversold, nothing is lost, nothing
// deadlocks.
#include <atomic>
#include <catch2/catch.hpp>
#include <random>

#include "plugins/support/stock.h"

using namespace orderd;
using namespace orderd::plugins::test;

namespace {

constexpr int sessions = 8, batches = 40, orders_per_batch = 12, products = 6;

/// What a session remembers of an order of its own.
struct Known {
  Uuid id;
  Lines lines;
  bool reserved = false, released = false;
};

class Session {
 public:
  Session(Warehouse& warehouse, std::vector<Uuid> shared, unsigned seed)
      : warehouse_(warehouse),
        connection_(warehouse.database().connect()),
        shared_(std::move(shared)),
        random_(seed) {}

  void run_batch() {
    std::vector<Command> commands;
    for (int i = 0; i < orders_per_batch; ++i) commands.push_back(one());
    std::vector<Outcome> outcomes;
    {
      store::UnitOfWork work(connection_);
      plugins::LentTransaction tx(work);
      outcomes = warehouse_.step().execute_in(tx, commands);
      if (random_() % 10 == 0) {
        (void)work.flush();
        return;  // the host rolls its transaction back
      }
      work.commit();
    }
    for (std::size_t i = 0; i < commands.size(); ++i) check(commands[i], outcomes[i]);
  }

  std::int64_t reserved() const { return reserved_; }

 private:
  Command one() {
    // Now and then an order that other sessions work on too, as a frozen host that wakes up would.
    const bool common = !shared_.empty() && random_() % 8 == 0;
    const Uuid order = common ? shared_[random_() % shared_.size()]
                              : (mine_.empty() || random_() % 2 == 0 ? mine_.emplace_back(Uuid::v7())
                                                                     : mine_[random_() % mine_.size()]);
    static constexpr const char* actions[] = {"reserve", "reserve", "commit",
                                              "release", "extend",  "availability"};
    Lines lines;
    for (unsigned i = 0, count = 1 + random_() % 3; i < count; ++i)
      lines.emplace_back("SKU-" + std::to_string(random_() % products), 1 + random_() % 4);
    return stock_command(actions[random_() % 6], order, lines);
  }

  void check(const Command& command, const Outcome& outcome) {
    if (command.action == "inventory.reserve" && outcome.kind == OutcomeKind::done) ++reserved_;
    const bool may_retry = std::find(shared_.begin(), shared_.end(), command.order_id) != shared_.end();
    if (outcome.kind == OutcomeKind::retry && !may_retry)
      throw std::runtime_error("RETRY: " + outcome.message);
  }

  Warehouse& warehouse_;
  store::Connection connection_;
  const std::vector<Uuid> shared_;
  std::vector<Uuid> mine_;
  std::mt19937 random_;
  std::int64_t reserved_ = 0;
};

}  // namespace

namespace {

/// What all sessions together did.
struct Sum {
  std::atomic<int> lost{0};  // transactions that PostgreSQL ended
  std::atomic<std::int64_t> reserved{0};
  std::vector<std::string> problems = std::vector<std::string>(sessions);
};

void run_sessions(Warehouse& warehouse, const std::vector<Uuid>& shared, Sum& sum) {
  std::map<std::string, std::int64_t> stock;
  for (int i = 0; i < products; ++i) stock["SKU-" + std::to_string(i)] = 400;
  warehouse.put(stock);
  std::vector<std::thread> threads;
  for (int s = 0; s < sessions; ++s)
    threads.emplace_back([&, s] {
      try {
        Session session(warehouse, shared, 17u + static_cast<unsigned>(s));
        for (int i = 0; i < batches; ++i) {
          try {
            session.run_batch();
          } catch (const plugins::TxError& error) {
            if (!error.ends_transaction()) throw;
            ++sum.lost;
          }
        }
        sum.reserved += session.reserved();
      } catch (const std::exception& error) { sum.problems[static_cast<std::size_t>(s)] = error.what(); }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("Random batches of many sessions keep the stock's numbers whole, without a deadlock") {
  Warehouse warehouse;
  Sum sum;
  run_sessions(warehouse, {}, sum);
  CHECK(sum.problems == std::vector<std::string>(sessions));
  CHECK(sum.lost == 0);
  CHECK(sum.reserved > 100);
  CHECK(warehouse.wrong_skus() == 0);
}

TEST_CASE("Sessions that work on the same orders, as a host that woke up late, book nothing twice") {
  Warehouse warehouse;
  Sum sum;
  std::vector<Uuid> shared;
  for (int i = 0; i < 30; ++i) shared.push_back(Uuid::v7());
  run_sessions(warehouse, shared, sum);
  CHECK(sum.problems == std::vector<std::string>(sessions));
  CHECK(sum.reserved > 100);
  CHECK(warehouse.wrong_skus() == 0);
}

TEST_CASE("The last one is sold once") {
  Warehouse warehouse;
  warehouse.put({{"SKU-1", 1}});
  std::atomic<int> won{0}, declined{0};
  std::vector<std::thread> threads;
  for (int s = 0; s < sessions; ++s)
    threads.emplace_back([&] {
      store::Connection connection = warehouse.database().connect();
      store::UnitOfWork work(connection);
      plugins::LentTransaction tx(work);
      const Outcome outcome =
          warehouse.step().execute_in(tx, {stock_command("reserve", Uuid::v7(), {{"SKU-1", 1}})}).front();
      work.commit();
      won += outcome.kind == OutcomeKind::done;
      declined += outcome.code == "OUT_OF_STOCK";
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(won == 1);
  CHECK(declined == sessions - 1);
  CHECK(warehouse.stock("SKU-1") == "0 1 0");
}
