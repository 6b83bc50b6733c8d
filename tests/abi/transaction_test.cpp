// Transactional plugins on a real PostgreSQL, in a database of the test's own.
#include <unistd.h>

#include <catch2/catch.hpp>

#include "harness.h"
#include "plugin_host/calling/tx_loan.h"
#include "plugin_ports/lent_transaction.h"

namespace orderd::plugins {
namespace {

std::string server() {
  const char* url = std::getenv("ORDERD_TEST_PG");
  if (!url) throw std::runtime_error("ORDERD_TEST_PG is not set: run the tests with `./x test`");
  return url;
}

/// The server's URL with another database: the last path segment is its name.
std::string url_of(const std::string& database) {
  std::string url = server();
  const auto query = url.find('?');
  const std::string tail = query == std::string::npos ? "" : url.substr(query);
  if (query != std::string::npos) url.resize(query);
  return url.substr(0, url.rfind('/') + 1) + database + tail;
}

class Database {
 public:
  Database() : name_("abi_" + std::to_string(getpid()) + "_" + std::to_string(++made)), admin_({server()}) {
    admin_.script("create database " + name_);
    connection_ = std::make_unique<store::Connection>(store::ConnectionOptions{url_of(name_)});
    connection_->script(
        "create function deadlock() returns int language plpgsql as "
        "$$ begin raise 'deadlock' using errcode = '40P01'; end $$");
  }
  ~Database() {
    connection_.reset();
    admin_.script("drop database " + name_ + " with (force)");
  }
  store::Connection& operator*() { return *connection_; }
  std::vector<std::string> texts(const char* sql) {
    const store::Rows rows = connection_->run({sql, sql});
    std::vector<std::string> out;
    for (int i = 0; i < rows.size(); ++i) out.emplace_back(rows.bytes(i, 0));
    return out;
  }

 private:
  static inline int made = 0;
  std::string name_;
  store::Connection admin_;
  std::unique_ptr<store::Connection> connection_;
};

struct Ledger {
  Database database;
  Registry registry{test_options(), {plugin("abi_ledger.so")}};
  Ledger() {
    registry.migrate(*database);
    registry.start([](Completion) {});
  }
  /// One transaction with one command for each subject.
  std::vector<Outcome> run(const std::vector<std::string>& subjects) {
    std::vector<Command> commands;
    for (const std::string& subject : subjects) {
      commands.push_back(command(""));
      commands.back().action = "inventory.reserve";
      commands.back().subject = subject;
      commands.back().lines = {{1, "A", 1, 5}, {2, "A", 2, 5}};
    }
    store::UnitOfWork work(*database);
    LentTransaction tx(work);
    auto outcomes = registry.step("one").execute_in(tx, commands);
    work.commit();
    return outcomes;
  }
  std::vector<std::string> effects() { return database.texts("select what from ledger.effects order by id"); }
};

using Strings = std::vector<std::string>;

TEST_CASE("a plugin's migrations are applied once") {
  Ledger ledger;
  ledger.registry.migrate(*ledger.database);
  CHECK(ledger.database.texts(
            "select owner || ' ' || number::text || ' ' || name from orderd_migrations order by number") ==
        Strings{"plugin:ledger 1 schema", "plugin:ledger 2 stock"});
}

TEST_CASE("all commands of a transaction take effect in one call, lines of one SKU summed") {
  Ledger ledger;
  const auto outcomes = ledger.run({"r1", "declined", "r2"});
  REQUIRE(outcomes.size() == 3);
  CHECK(outcomes[0].kind == OutcomeKind::done);
  CHECK(outcomes[1].kind == OutcomeKind::declined);
  CHECK(outcomes[1].code == "OUT_OF_STOCK");
  CHECK(ledger.effects() == Strings{"r1 A 3", "declined A 3", "r2 A 3"});
}

TEST_CASE("a command that fails hurts no other and has no effect") {
  Ledger ledger;
  for (const char* bad : {"throw", "bad sql", "commit", "swallow", "pending"}) {
    INFO(bad);
    const auto before = ledger.effects().size();
    const auto outcomes = ledger.run({std::string("x1 ") + bad, bad, std::string("x2 ") + bad});
    REQUIRE(outcomes.size() == 3);
    CHECK(outcomes[0].kind == OutcomeKind::done);
    CHECK(outcomes[1].kind == OutcomeKind::retry);
    CHECK(outcomes[1].code == "PLUGIN_FAILED");
    CHECK(outcomes[2].kind == OutcomeKind::done);
    CHECK(ledger.effects().size() == before + 2);
  }
}

TEST_CASE("what went wrong is in the outcome of the command that failed") {
  Ledger ledger;
  CHECK(ledger.run({"throw"})[0].message == "one: execute_tx() failed: a bug in the plugin");
  CHECK_THAT(ledger.run({"bad sql"})[0].message, Catch::Contains("division by zero"));
  CHECK_THAT(ledger.run({"commit"})[0].message, Catch::Contains("this statement is the host's"));
}

TEST_CASE("a deadlock ends the whole transaction instead of being tried one by one") {
  Ledger ledger;
  CHECK_THROWS_AS(ledger.run({"r1", "deadlock"}), TxError);
  CHECK(ledger.effects().empty());
}

std::vector<ApplyResult> apply(Ledger& ledger, const std::vector<ProjectionEvent>& events,
                               ProjectionTarget target) {
  store::UnitOfWork work(*ledger.database);
  LentTransaction tx(work);
  auto results = ledger.registry.projections().at(0)->apply(tx, target, events);
  work.commit();
  return results;
}

ProjectionEvent event(std::int32_t version, std::string_view payload) {
  return {Uuid::v7(), version, now(), "ORDER_CREATED", "PENDING", "NONE", payload};
}

TEST_CASE("a projection gets events and says what became of each") {
  Ledger ledger;
  const auto results = apply(ledger, {event(1, "a"), event(2, "b"), event(3, "c")}, ProjectionTarget::shadow);
  REQUIRE(results.size() == 3);
  CHECK(results[0].kind == ApplyResult::Kind::applied);
  CHECK(results[1].kind == ApplyResult::Kind::duplicate);
  CHECK(results[2].kind == ApplyResult::Kind::gap);
  CHECK(ledger.effects().at(0) == "shadow ORDER_CREATED a");
}

TEST_CASE("a poisonous event fails alone") {
  Ledger ledger;
  const auto results =
      apply(ledger, {event(1, "a"), event(1, "poison"), event(1, "b")}, ProjectionTarget::live);
  CHECK(results[0].kind == ApplyResult::Kind::applied);
  CHECK(results[1].kind == ApplyResult::Kind::failed);
  CHECK(results[1].error == "one: apply() failed: cannot read the event");
  CHECK(results[2].kind == ApplyResult::Kind::applied);
  CHECK(ledger.effects() == Strings{"live ORDER_CREATED a", "live ORDER_CREATED b"});
}

TEST_CASE("a rebuild that the plugin refuses is an error that names it") {
  Ledger ledger;
  store::UnitOfWork work(*ledger.database);
  LentTransaction tx(work);
  ledger.registry.projections().at(0)->rebuild_begin(tx);
  CHECK_THROWS_WITH(ledger.registry.projections().at(0)->rebuild_finish(tx),
                    "one: rebuild_finish() failed: nothing was rebuilt");
}

TEST_CASE("a catalog lists by pages, takes goods in and refuses what would be negative") {
  Ledger ledger;
  CatalogPort& catalog = *ledger.registry.catalogs().at(0);
  {
    store::UnitOfWork work(*ledger.database);
    LentTransaction tx(work);
    catalog.put(
        tx, {{"A", "A", 1999, "EUR", 2, 5}, {"B", "B", 1999, "EUR", 2, 0}, {"C", "C", 1999, "EUR", 2, 1}});
    CHECK(catalog.receive(tx, "B", 7));
    CHECK_FALSE(catalog.receive(tx, "Z", 7));
    work.commit();
  }
  store::UnitOfWork work(*ledger.database);
  LentTransaction tx(work);
  const auto page = catalog.list(tx, "A", 1);
  REQUIRE(page.size() == 1);
  CHECK(page[0].sku == "B");
  CHECK(page[0].available == 7);
  CHECK(page[0].unit_price == 1999);
  CHECK(page[0].currency == "EUR");
  CHECK_THROWS_AS(catalog.receive(tx, "C", -2), TxError);
}

TEST_CASE("only statements that read, write or define tables may be sent") {
  for (const char* sql :
       {"select 1", "  SELECT 1", "/* x */ insert into t values (1)", "-- x\nupdate t set a = 1",
        "(select 1)", "with x as (select 1) select 1", "create table t (a int)", "truncate t"})
    CHECK(statement_allowed(sql));
  for (const char* sql :
       {"commit", "COMMIT", "/* select */ rollback", "-- select\nbegin", "set x = 1", "savepoint a",
        "release a", "listen x", "copy t from stdin", "do $$ begin end $$", "prepare transaction 'x'", "end",
        "abort", "reset all", "discard all", "", ";", "/* select 1", "vacuum"})
    CHECK_FALSE(statement_allowed(sql));
}

/// Answers every statement with one empty result.
class FakeTx final : public TxPort {
 public:
  class Empty final : public TxResult {
   public:
    std::size_t rows() const override { return 0; }
    std::size_t columns() const override { return 0; }
    std::uint64_t affected() const override { return 0; }
    std::optional<std::string_view> value(std::size_t, std::size_t) const override { return std::nullopt; }
    std::uint32_t column_type(std::size_t) const override { return 0; }
  };
  std::unique_ptr<TxResult> exec(const char*, std::span<const TxParam>, bool) override {
    return std::make_unique<Empty>();
  }
  void savepoint() override {}
  void release_savepoint() override {}
  void rollback_to_savepoint() override {}
};

TEST_CASE("a transaction used after its call, or on another thread, is refused") {
  LoanPool pool;
  FakeTx port;
  orderd_tx* kept = nullptr;
  const auto exec = [&] {
    return tx_table()->exec(kept, "select 1", nullptr, 0, ORDERD_FORMAT_BINARY, nullptr, nullptr);
  };
  {
    LoanPool::Loan loan(pool, port);
    kept = loan.get();
    CHECK(exec() == ORDERD_OK);
    orderd_status elsewhere = ORDERD_OK;
    std::thread([&] { elsewhere = exec(); }).join();
    CHECK(elsewhere == ORDERD_E_STALE);
  }
  CHECK(exec() == ORDERD_E_STALE);
}

}  // namespace
}  // namespace orderd::plugins
