// Every token of the simulated payment provider does what its name says.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "plugins/support/bank.h"

using namespace orderd;
using namespace orderd::plugins::test;

namespace {

std::int64_t ledger_rows(Database& database, const std::string& payment, const std::string& kind) {
  return database.count("select count(*) from payment_simulated.ledger where payment_id = '" + payment +
                        "' and kind = '" + kind + "'");
}

}  // namespace

TEST_CASE("tok_ok goes through authorize, capture and refund, one ledger row each") {
  Database database;
  Bank bank(database);
  const Outcome authorized = bank.authorize("p1", "tok_ok", 1000);
  CHECK(authorized.kind == OutcomeKind::done);
  CHECK(authorized.totals == PaymentTotals{1000, 0, 0, 0});
  CHECK(authorized.provider_reference.rfind("sim_", 0) == 0);
  const Outcome captured = bank.capture("p1", 1000);
  CHECK(captured.kind == OutcomeKind::done);
  CHECK(captured.totals == PaymentTotals{1000, 1000, 0, 0});
  const Outcome refunded = bank.refund("p1", 400);
  CHECK(refunded.totals == PaymentTotals{1000, 1000, 400, 0});
  CHECK(database.ask(
            "select string_agg(kind || ' ' || amount || ' ' || currency || ' ' || key, ', ' order by id) "
            "from payment_simulated.ledger") ==
        "authorize 1000 EUR p1.authorize.1, capture 1000 EUR p1.capture.2, refund 400 EUR p1.refund.3");
}

TEST_CASE("Declining tokens say why, and leave nothing in the ledger") {
  Database database;
  Bank bank(database);
  const auto [token, code, hard] =
      GENERATE(table<std::string, std::string, bool>({{"tok_declined", "PAYMENT_DECLINED", true},
                                                      {"tok_insufficient_funds", "INSUFFICIENT_FUNDS", false},
                                                      {"tok_crash", "CRASH_NOT_ALLOWED", true},
                                                      {"tok_nonsense", "INVALID_TOKEN", true},
                                                      {"tok_slow_60001", "INVALID_TOKEN", true},
                                                      {"tok_flaky_-1", "INVALID_TOKEN", true},
                                                      {"", "INVALID_TOKEN", true}}));
  INFO(token);
  const Outcome first = bank.authorize("p1", token);
  const Outcome again = bank.authorize("p1", token);
  for (const Outcome& outcome : {first, again, bank.query("p1", "p1.authorize.1")}) {
    CHECK(outcome.kind == OutcomeKind::declined);
    CHECK(outcome.code == code);
    CHECK(outcome.hard == hard);
    CHECK_FALSE(outcome.message.empty());
    CHECK(outcome.totals == PaymentTotals{});
  }
  CHECK(database.count("select count(*) from payment_simulated.ledger") == 0);
}

TEST_CASE("tok_slow answers later than a command that came after it") {
  Database database;
  Bank bank(database);
  bank.send(authorize_command("slow", "tok_slow_1500"));
  CHECK(bank.authorize("quick", "tok_ok").kind == OutcomeKind::done);
  CHECK_FALSE(bank.has_answered("slow.authorize.1"));
  CHECK(bank.wait("slow.authorize.1").kind == OutcomeKind::done);
}

TEST_CASE("tok_flaky fails n times without effect, also under changing keys, and then works") {
  Database database;
  Bank bank(database);
  for (const std::string sequence : {"1.g0", "1.g1"}) {
    const Outcome outcome = bank.call(authorize_command("p1", "tok_flaky_2", 1000, sequence));
    CHECK(outcome.kind == OutcomeKind::retry);
    CHECK(bank.query("p1", "p1.authorize." + sequence).query_answer == QueryAnswer::not_found_final);
    CHECK(ledger_rows(database, "p1", "authorize") == 0);
  }
  CHECK(bank.call(authorize_command("p1", "tok_flaky_2", 1000, "1.g2")).kind == OutcomeKind::done);
  CHECK(ledger_rows(database, "p1", "authorize") == 1);
}

TEST_CASE("tok_timeout is charged and only a query knows, also after the same key came again") {
  Database database;
  Bank bank(database);
  for (int attempt = 1; attempt <= 2; ++attempt) {
    Command command = authorize_command("p1", "tok_timeout");
    command.deadline = now() + std::chrono::milliseconds(700);
    const Outcome outcome = bank.call(command);
    CHECK(outcome.kind == OutcomeKind::unknown);
    CHECK(outcome.code == "TIMEOUT");
  }
  const Outcome found = bank.query("p1", "p1.authorize.1");
  CHECK(found.query_answer == QueryAnswer::found);
  CHECK(found.kind == OutcomeKind::done);
  CHECK(found.totals == PaymentTotals{1000, 0, 0, 0});
  CHECK(ledger_rows(database, "p1", "authorize") == 1);
}

TEST_CASE("tok_crash ends the process if the instance allows it, without effect") {
  Database database;
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // not Catch's: the parent reports
    Bank bank(database, {{"allow_crash", "true"}});
    bank.authorize("p1", "tok_crash");
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
  Bank bank(database);
  CHECK(bank.query("p1", "p1.authorize.1").query_answer == QueryAnswer::not_found_final);
}

TEST_CASE("tok_3ds waits for the buyer with a place to go to, until he agreed") {
  Database database;
  Bank bank(database);
  const Outcome waiting = bank.authorize("p1", "tok_3ds");
  CHECK(waiting.kind == OutcomeKind::pending);
  REQUIRE(waiting.next_action);
  CHECK(waiting.next_action->type == "redirect");
  CHECK_FALSE(waiting.next_action->url.empty());
  REQUIRE(waiting.expires);
  CHECK(*waiting.expires > now() + std::chrono::minutes(10));
  const Outcome asked = bank.query("p1", "p1.authorize.1");
  CHECK(asked.query_answer == QueryAnswer::found);
  CHECK(asked.kind == OutcomeKind::pending);
  CHECK(asked.expires == waiting.expires);
  CHECK(bank.capture("p1", 1000).code == "NOT_AUTHORIZED");

  SECTION("he agrees") {
    database.script("update payment_simulated.calls set approved = true where key = 'p1.authorize.1'");
    for (int i = 0; i < 2; ++i) {
      const Outcome done = bank.query("p1", "p1.authorize.1");
      CHECK(done.kind == OutcomeKind::done);
      CHECK(done.totals == PaymentTotals{1000, 0, 0, 0});
    }
    CHECK(ledger_rows(database, "p1", "authorize") == 1);
    CHECK(bank.capture("p1", 1000, "9").kind == OutcomeKind::done);
  }
  SECTION("he refuses") {
    database.script("update payment_simulated.calls set approved = false where key = 'p1.authorize.1'");
    CHECK(bank.query("p1", "p1.authorize.1").code == "PAYMENT_DECLINED");
  }
  SECTION("he does not come") {
    database.script("update payment_simulated.calls set expires_ms = 1 where key = 'p1.authorize.1'");
    CHECK(bank.query("p1", "p1.authorize.1").code == "PAYMENT_EXPIRED");
    database.script("update payment_simulated.calls set approved = true where key = 'p1.authorize.1'");
    CHECK(bank.query("p1", "p1.authorize.1").code == "PAYMENT_EXPIRED");
  }
  SECTION("it is voided first") {
    CHECK(bank.void_authorization("p1").kind == OutcomeKind::done);
    database.script("update payment_simulated.calls set approved = true where key = 'p1.authorize.1'");
    CHECK(bank.query("p1", "p1.authorize.1").kind == OutcomeKind::declined);
    CHECK(database.count("select count(*) from payment_simulated.ledger") == 0);
  }
}

TEST_CASE("tok_capture_fails authorizes and declines the capture; a void lets go") {
  Database database;
  Bank bank(database);
  CHECK(bank.authorize("p1", "tok_capture_fails").kind == OutcomeKind::done);
  const Outcome declined = bank.capture("p1", 1000);
  CHECK(declined.kind == OutcomeKind::declined);
  CHECK(declined.totals == PaymentTotals{1000, 0, 0, 0});
  CHECK(bank.void_authorization("p1").totals == PaymentTotals{1000, 0, 0, 1000});
}

TEST_CASE("tok_refund_fails lets n refunds fail without effect, then works") {
  Database database;
  Bank bank(database);
  bank.authorize("p1", "tok_refund_fails_2");
  bank.capture("p1", 1000);
  CHECK(bank.refund("p1", 1000, "3.g0").kind == OutcomeKind::retry);
  CHECK(bank.refund("p1", 1000, "3.g1").kind == OutcomeKind::retry);
  CHECK(ledger_rows(database, "p1", "refund") == 0);
  CHECK(bank.refund("p1", 1000, "3.g2").totals == PaymentTotals{1000, 1000, 1000, 0});
  CHECK(ledger_rows(database, "p1", "refund") == 1);
}

TEST_CASE("tok_refund_pending refunds when it is asked for") {
  Database database;
  Bank bank(database);
  bank.authorize("p1", "tok_refund_pending");
  bank.capture("p1", 1000);
  CHECK(bank.refund("p1", 600).kind == OutcomeKind::pending);
  CHECK(bank.refund("p1", 600).kind == OutcomeKind::pending);
  CHECK(ledger_rows(database, "p1", "refund") == 0);
  for (int i = 0; i < 2; ++i) {
    const Outcome found = bank.query("p1", "p1.refund.3");
    CHECK(found.kind == OutcomeKind::done);
    CHECK(found.totals == PaymentTotals{1000, 1000, 600, 0});
  }
  CHECK(ledger_rows(database, "p1", "refund") == 1);
}
