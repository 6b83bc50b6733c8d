// The simulated provider's ledger adds up, whatever comes twice, at once, or while its database goes away.
#include <catch2/catch.hpp>
#include <random>

#include "plugins/support/bank.h"

using namespace orderd;
using namespace orderd::plugins::test;

namespace {

/// Payments whose totals are not the sums of their ledger rows, or are impossible.
std::int64_t wrong_payments(Database& database) {
  return database.count(R"(
    select count(*) from payment_simulated.payments p full join (
      select payment_id, sum(amount) filter (where kind = 'authorize') a,
             sum(amount) filter (where kind = 'capture') c, sum(amount) filter (where kind = 'refund') r,
             sum(amount) filter (where kind = 'void') v, count(*) filter (where kind = 'authorize') n
      from payment_simulated.ledger group by payment_id) l using (payment_id)
    where (p.authorized, p.captured, p.refunded, p.voided) is distinct from
          (coalesce(a, 0), coalesce(c, 0), coalesce(r, 0), coalesce(v, 0))
       or p.refunded > p.captured or p.captured + p.voided > p.authorized or n > 1)");
}

void run_together(int threads, const std::function<void(int)>& body) {
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back([&body, i] { body(i); });
  for (std::thread& thread : all) thread.join();
}

}  // namespace

TEST_CASE("The same key has its effect once, and the stored outcome comes again with the totals of now") {
  Database database;
  Bank bank(database);
  bank.authorize("p1", "tok_ok", 1000);
  bank.capture("p1", 700);
  CHECK(bank.authorize("p1", "tok_declined", 5).totals == PaymentTotals{1000, 700, 0, 0});
  CHECK(bank.capture("p1", 700).kind == OutcomeKind::done);
  CHECK(bank.refund("p1", 800).kind == OutcomeKind::declined);
  bank.capture("p1", 300, "4");
  CHECK(bank.refund("p1", 800).kind == OutcomeKind::declined);  // that key was declined, and stays so
  CHECK(bank.refund("p1", 800, "5").totals == PaymentTotals{1000, 1000, 800, 0});
  CHECK(database.count("select count(*) from payment_simulated.ledger") == 4);
  CHECK(wrong_payments(database) == 0);
}

TEST_CASE("Money that is not there does not move") {
  Database database;
  Bank bank(database);
  CHECK(bank.capture("p1", 10).code == "NOT_AUTHORIZED");
  CHECK(bank.refund("p1", 10).code == "AMOUNT_TOO_LARGE");
  CHECK(bank.authorize("p1", "tok_ok", 0).code == "INVALID_AMOUNT");
  CHECK(bank.call(authorize_command("p1", "tok_ok", 1000, "7")).kind == OutcomeKind::done);
  CHECK(bank.capture("p1", 1001, "a").code == "AMOUNT_TOO_LARGE");
  CHECK(bank.capture("p1", -5, "b").code == "INVALID_AMOUNT");
  CHECK(bank.capture("p1", 600, "c").kind == OutcomeKind::done);
  CHECK(bank.capture("p1", 401, "d").code == "AMOUNT_TOO_LARGE");
  CHECK(bank.refund("p1", 601, "e").code == "AMOUNT_TOO_LARGE");
  Command yen = command("p1", "capture", 400, "f");
  yen.currency = "JPY";
  CHECK(bank.call(yen).code == "WRONG_CURRENCY");
  CHECK(database.ask("select (authorized, captured, refunded, voided) from payment_simulated.payments") ==
        "(1000,600,0,0)");
  CHECK(wrong_payments(database) == 0);
}

TEST_CASE("A void lets go once, a void of nothing is done, and blocks an authorization that comes late") {
  Database database;
  Bank bank(database);
  bank.authorize("p1", "tok_ok", 1000);
  CHECK(bank.void_authorization("p1", "2").totals == PaymentTotals{1000, 0, 0, 1000});
  CHECK(bank.void_authorization("p1", "2").kind == OutcomeKind::done);
  CHECK(bank.void_authorization("p1", "3").kind == OutcomeKind::done);
  CHECK(bank.capture("p1", 1000, "4").kind == OutcomeKind::declined);
  CHECK(bank.void_authorization("p2").kind == OutcomeKind::done);
  CHECK(bank.query("p2", "p2.void.8").query_answer == QueryAnswer::found);
  CHECK(bank.authorize("p2", "tok_ok").code == "PAYMENT_CLOSED");
  bank.authorize("p3", "tok_ok", 1000);
  bank.capture("p3", 600);
  CHECK(bank.void_authorization("p3").totals == PaymentTotals{1000, 600, 0, 400});
  CHECK(bank.void_authorization("p3", "9").totals == PaymentTotals{1000, 600, 0, 400});
  CHECK(database.count("select count(*) from payment_simulated.ledger") == 5);
  CHECK(wrong_payments(database) == 0);
}

TEST_CASE("A payment is authorized once, also under a second key") {
  Database database;
  Bank bank(database);
  bank.authorize("p1", "tok_ok", 1000);
  const Outcome second = bank.call(authorize_command("p1", "tok_ok", 1000, "1.g1"));
  CHECK(second.kind == OutcomeKind::done);
  CHECK(second.totals == PaymentTotals{1000, 0, 0, 0});
  CHECK(bank.call(authorize_command("p1", "tok_ok", 2000, "1.g2")).code == "ALREADY_AUTHORIZED");
  CHECK(database.count("select count(*) from payment_simulated.ledger") == 1);
}

TEST_CASE("A query knows what happened, what was declined, and what never came") {
  Database database;
  Bank bank(database);
  CHECK(bank.query("p1", "p1.authorize.1").query_answer == QueryAnswer::not_found_final);
  bank.authorize("p1", "tok_ok");
  bank.capture("p1", 5000);
  const Outcome found = bank.query("p1", "p1.authorize.1");
  CHECK(found.query_answer == QueryAnswer::found);
  CHECK(found.totals == PaymentTotals{1000, 0, 0, 0});
  CHECK(bank.query("p1", "p1.capture.2").code == "AMOUNT_TOO_LARGE");
  CHECK(bank.query("p2", "p1.authorize.1").query_answer == QueryAnswer::not_found_final);
}

TEST_CASE("list_since tells every payment with a movement since, page by page") {
  Database database;
  Bank bank(database);
  constexpr int payments = 700;
  for (int i = 0; i < payments; ++i) bank.send(authorize_command("p" + std::to_string(i), "tok_ok"));
  for (int i = 0; i < payments; ++i) bank.wait("p" + std::to_string(i) + ".authorize.1");
  const Outcome first = bank.call(command("-", "list_since", 0, "1"));
  CHECK(first.kind == OutcomeKind::done);
  CHECK(first.details_json.find("\"subject\":\"p0\"") != std::string::npos);
  CHECK(first.details_json.find("\"cursor\":\"p") != std::string::npos);
}

TEST_CASE("Two hosts that send the same commands at once have each effect once") {
  Database database;
  Bank left(database), right(database);
  constexpr int payments = 60;
  const auto all = [&](const std::function<Outcome(Bank&, const std::string&)>& act) {
    run_together(8, [&](int thread) {
      for (int i = 0; i < payments; ++i) {
        const Outcome outcome =
            act(thread % 2 == 0 ? left : right, "p" + std::to_string((i + thread * 7) % payments));
        if (outcome.kind != OutcomeKind::done) throw std::runtime_error(outcome.code + " " + outcome.message);
      }
    });
  };
  all([](Bank& bank, const std::string& payment) { return bank.authorize(payment, "tok_ok"); });
  all([](Bank& bank, const std::string& payment) { return bank.capture(payment, 1000); });
  all([](Bank& bank, const std::string& payment) { return bank.refund(payment, 300); });
  CHECK(database.count("select count(*) from payment_simulated.ledger") == 3 * payments);
  CHECK(wrong_payments(database) == 0);
}

TEST_CASE("Different captures and refunds of one payment at once never take more than there is") {
  Database database;
  Bank left(database), right(database);
  left.authorize("p1", "tok_ok", 1000);
  run_together(8, [&](int thread) {
    Bank& bank = thread % 2 == 0 ? left : right;
    std::mt19937 random(static_cast<unsigned>(thread));
    for (int i = 0; i < 20; ++i) {
      const std::string sequence = std::to_string(thread) + "-" + std::to_string(i);
      const std::int64_t amount = 1 + static_cast<std::int64_t>(random() % 60);
      if (random() % 2 == 0)
        bank.capture("p1", amount, sequence);
      else
        bank.refund("p1", amount, sequence);
    }
  });
  CHECK(wrong_payments(database) == 0);
  CHECK(database.count("select captured from payment_simulated.payments") > 900);
}

TEST_CASE("After a lost session, what was being saved is UNKNOWN and a query tells, what comes next works") {
  Database database;
  Bank bank(database);
  bank.authorize("p0", "tok_ok");
  store::Connection blocker = database.connect();
  blocker.script("begin; lock table payment_simulated.ledger in exclusive mode");
  bank.send(authorize_command("p1", "tok_ok"));
  REQUIRE(eventually([&] {
    return database.count(
               "select count(*) from pg_stat_activity where datname = current_database() and "
               "application_name = 'orderd bank' and wait_event_type = 'Lock'") == 1;
  }));
  database.end_sessions("orderd bank");
  CHECK(bank.wait("p1.authorize.1").kind == OutcomeKind::unknown);
  blocker.script("rollback");
  CHECK(bank.query("p1", "p1.authorize.1").query_answer == QueryAnswer::not_found_final);
  CHECK(bank.query("p0", "p0.authorize.1").query_answer == QueryAnswer::found);
  CHECK(bank.authorize("p1", "tok_ok").kind == OutcomeKind::done);
  CHECK(bank.authorize("p0", "tok_ok").kind == OutcomeKind::done);
  CHECK(database.count("select count(*) from payment_simulated.ledger") == 2);
}

TEST_CASE("While its database cannot be reached commands are RETRY, and it comes back by itself") {
  Database database;
  Bank bank(database);
  database.admin("alter database " + database.name() + " with allow_connections false");
  database.end_sessions("orderd bank");
  for (int i = 0; i < 3; ++i) CHECK(bank.authorize("p1", "tok_ok").kind == OutcomeKind::retry);
  CHECK(bank.query("p1", "p1.authorize.1").query_answer == QueryAnswer::none);
  database.admin("alter database " + database.name() + " with allow_connections true");
  CHECK(bank.authorize("p1", "tok_ok").kind == OutcomeKind::done);
  CHECK(database.count("select count(*) from payment_simulated.ledger") == 1);
}

TEST_CASE("A key that the database refuses hurts no other command of its batch") {
  Database database;
  Bank bank(database);
  store::Connection blocker = database.connect();
  blocker.script("begin; lock table payment_simulated.ledger in access exclusive mode");
  bank.send(authorize_command("first", "tok_ok"));  // holds the processor while the others gather
  for (int i = 0; i < 20; ++i) bank.send(authorize_command("p" + std::to_string(i), "tok_ok"));
  Command bad = authorize_command("\xff", "tok_ok");
  bad.key = "bad";
  bank.send(bad);
  blocker.script("rollback");
  CHECK(bank.wait("bad").kind == OutcomeKind::retry);
  CHECK(bank.wait("first.authorize.1").kind == OutcomeKind::done);
  for (int i = 0; i < 20; ++i)
    CHECK(bank.wait("p" + std::to_string(i) + ".authorize.1").kind == OutcomeKind::done);
  CHECK(database.count("select count(*) from payment_simulated.ledger") == 21);
}

TEST_CASE("Wrong settings are refused with the setting's name") {
  Database database;
  using Settings = std::map<std::string, std::string>;
  const auto [settings, word] =
      GENERATE(table<Settings, std::string>({{Settings{{"schema", "a;b"}}, "schema"},
                                             {Settings{{"allow_crash", "maybe"}}, "allow_crash"},
                                             {Settings{{"shema", "x"}}, "shema"},
                                             {Settings{{"database", ""}}, "database"}}));
  CHECK_THROWS_WITH(Bank(database, settings), Catch::Contains("\"" + word + "\""));
}

TEST_CASE("Two instances with schemas of their own do not meet") {
  Database database;
  Bank one(database), other(database, {{"schema", "other_bank"}});
  one.authorize("p1", "tok_ok");
  CHECK(other.capture("p1", 1000).code == "NOT_AUTHORIZED");
  CHECK(database.count("select count(*) from other_bank.ledger") == 0);
}
