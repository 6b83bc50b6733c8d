// `doctor` looks at everything that a person would look at, and has a fix for each finding; `diag` puts that
// and what else helps somebody far away into one file.
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>

#include "admin/builds.h"
#include "admin/switches.h"
#include "app/database_check.h"
#include "app/wiring.h"
#include "base/counted.h"
#include "base/loopback.h"
#include "config/mask.h"
#include "orderctl/verbs.h"
#include "plugin_ports/lent_transaction.h"
#include "reconcile/unknown.h"
#include "store/key_check.h"
#include "store/provision.h"
#include "store/rights.h"
#include "store/secret_box.h"

namespace orderd::ctl {
namespace {

constexpr store::Statement server_facts{
    "doctor_server",
    "select current_setting('server_version_num')::int4, has_schema_privilege(current_schema(), 'create'), "
    "abs(extract(epoch from clock_timestamp() - $1))::int8, "
    "coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false), "
    "not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off'"};
constexpr store::Statement work_facts{
    "doctor_work",
    "select (select count(*) from sagas where data -> 'stuck' is not null), "
    "(select coalesce(max(l.last - greatest(p.pos, 0)), 0)::int8 from positions p join log_shard l using "
    "(shard) where p.consumer = 'relay@kafka' or p.consumer not like '%@kafka'), "
    "(select count(distinct id) from hosts where seen > now() - interval '1 minute')"};

constexpr store::Statement letters_by_consumer{
    "doctor_letters", "select consumer, count(*) from parked group by consumer order by consumer"};

constexpr store::Statement live_keys{
    "doctor_keys",
    "select exists (select from api_keys where revoked is null and (expires is null or expires > now()))"};

/// More than a page, so that files grow: what is full is found by writing. It is rolled back.
constexpr store::Statement make_table{"doctor_table", "create temporary table doctor_room (filling text)"};
constexpr store::Statement fill_table{
    "doctor_fill", "insert into doctor_room select repeat('orderd ', 250) from generate_series(1, 64)"};

constexpr int server_version_min = 150000, clock_skew_max_s = 5, lag_events_max = 10'000;

/// Findings as rows. A check that throws is a finding itself, and what needs it is left out.
class Examination {
 public:
  explicit Examination(Context& context) : context_(context) {}

  store::Report run() {
    if (!attempt("configuration", "correct what the line names", [&] { context_.settings(); }))
      return report_;
    std::optional<store::SecretBox> key;
    attempt("key", "put the file back from its backup; for a new database orderctl setup makes one",
            [&] { key.emplace(store::SecretBox::from_file(context_.settings().secrets_key_file)); });
    look_at_access();
    attempt("saga", "correct saga.dir or saga.default",
            [&] { (void)default_definition(context_.settings()); });
    attempt("plugins", "install or correct what the line names", [&] { context_.registry(); });
    if (attempt("database", "start it, or correct postgres.url", [&] { look_at_surroundings(); }) && fit_) {
      attempt("key of the database", "orderctl migrate apply", [&] { look_at_key(key); });
      attempt("rights", "see the message", [&] { look_at_rights(); });
      attempt("switches", "orderctl migrate apply", [&] { look_at_switches(); });
      attempt("database", "see the message", [&] { look_at_server(); });
      attempt("room", "see the message, and PostgreSQL's log", [&] { look_at_room(); });
      attempt("schema", "orderctl migrate apply", [&] { look_at_schema(); });
      attempt("work", "orderctl migrate apply", [&] { look_at_work(); });
      attempt("builds", "orderctl migrate apply", [&] { look_at_builds(); });
      attempt("stock", "orderctl migrate apply", [&] { look_at_stock(); });
      attempt("instances", "orderctl migrate apply", [&] { look_at_past_instances(); });
    }
    look_at_host();
    return report_;
  }

 private:
  void add(const char* check, const char* state, const std::string& finding, const std::string& fix = "") {
    report_.rows.push_back({check, state, finding, fix});
  }
  /// `bad` is "warn" or "fail".
  void judge(const char* check, bool good, const char* bad, const std::string& finding,
             const std::string& fix) {
    if (!good) add(check, bad, finding, fix);
  }
  bool attempt(const char* check, const char* fix, const std::function<void()>& look) {
    const std::size_t before = report_.rows.size();
    try {
      look();
    } catch (const store::DbError& error) {
      return add(check, "fail", error.what(), fix_of(error, fix)), false;
    } catch (const std::exception& error) {
      // A line that ends with what to do about it needs no second fix beside it.
      const std::string line = error.what();
      const auto own = line.rfind(": `chmod");
      return add(check, "fail", line, own == line.npos ? fix : line.substr(own + 2)), false;
    }
    if (report_.rows.size() == before) add(check, "ok", "");
    return true;
  }
  /// `usual`: of an error that PostgreSQL has no code for, or a table that is not there.
  static std::string fix_of(const store::DbError& error, const char* usual) {
    constexpr const char* no_room = "53300";
    if (error.sqlstate == no_room)
      return "all of PostgreSQL's sessions are taken: raise max_connections (or the role's or database's "
             "connection limit), lower postgres.connections and intake.writers, or put a pooler between with "
             "postgres.pooled = yes; `select application_name, count(*) from pg_stat_activity group by 1` "
             "says who has them";
    const std::string known = store::refusal_fix(error.sqlstate);
    if (!known.empty()) return known;
    const bool missing = error.sqlstate == "42P01" || error.sqlstate == "42703" || error.sqlstate == "42883";
    const bool about_schema = std::string_view(usual) == "orderctl migrate apply";
    return about_schema && !missing ? "see the message, and PostgreSQL's log" : usual;
  }
  void look_at_surroundings() {
    context_.settings();
    context_.become_service_user();
    const auto unfit = store::unfit_database(database(context_.settings()));
    fit_ = !unfit.found();
    if (!fit_) return add("database", "fail", unfit.problem, unfit.fix);
    context_.connection();
  }
  void look_at_past_instances() {
    const auto found =
        past_instances(context_.connection(), context_.settings(), default_definition(context_.settings()));
    for (const auto& need : found.missing)
      add("instances", need.in_flight > 0 ? "fail" : "warn", sentence(need) + ", which is not configured",
          fix_for_missing(need));
    for (const auto& need : found.kept)
      add("instances", "ok", sentence(need) + ", which gets no new orders",
          "keep its lines until no order needs it");
  }
  void look_at_stock() {
    if (context_.registry().catalogs().empty()) return;  // a stock elsewhere has its own
    store::UnitOfWork work(context_.connection());
    plugins::LentTransaction tx(work);
    judge("stock", !context_.catalog().list(tx, "", 1).empty(), "warn",
          "there is no product: every order is rejected with UNKNOWN_SKU",
          "orderctl stock import FILE, or orderctl stock demo for a try");
    work.commit();
  }
  void look_at_access() {
    judge("access", context_.settings().access_keys == "required", "warn",
          "no API keys are demanded: whoever reaches the API may read, place and cancel orders",
          "access.keys = required, and `orderctl keys create`");
    const auto& address = context_.settings().http_address;
    judge("access", is_loopback_address(address), "warn",
          "the API listens on " + address + " without TLS of its own",
          "keep http.address on the loopback, behind a proxy that speaks TLS");
  }
  void look_at_server() {
    const auto rows = context_.connection().run(server_facts, store::Args().timestamptz(wall_now()));
    const auto target = store::target_of(context_.settings().postgres_url);
    judge("database", rows.integer(0, 0) >= server_version_min, "fail", "PostgreSQL is older than 15",
          "upgrade it");
    judge(
        "database", rows.boolean(0, 4), "fail",
        "the server takes no writes (read-only): every order is answered 503",
        "name the primary in postgres.url (target_session_attrs=read-write finds it among several), or take "
        "default_transaction_read_only from the server, the role or the database");
    judge("database", rows.boolean(0, 1), "fail", "the role may not create tables in its schema",
          "grant create on schema public to " + target.role);
    if (const auto unfit = store::forgetful_server(context_.connection()); unfit.found())
      add("database", "fail", unfit.problem, unfit.fix);
    judge("database", rows.integer(0, 2) <= clock_skew_max_s, "warn", "its clock differs from this machine's",
          "run an NTP client on both");
    judge("database",
          target.local_socket || is_loopback_host(target.host) ||
              context_.settings().postgres_url.find("verify-full") != std::string::npos,
          "warn", "the server's certificate is not checked", "add sslmode=verify-full to postgres.url");
  }
  void look_at_room() {
    if (context_.connection().read_only()) return;  // said already
    store::UnitOfWork work(context_.connection());
    try {
      (void)work.run(make_table);
      (void)work.run(fill_table);
    } catch (const store::DbError& error) {
      if (error.sqlstate == store::sqlstate_no_right) return;  // not to be found out by this role
      if (error.sqlstate != "53100") throw;
      add("room", "fail", "the database has no room left on its disk: every order is answered 503",
          "make room on PostgreSQL's disk; orders go on by themselves");
    }
  }
  void look_at_key(const std::optional<store::SecretBox>& box) {
    const std::string& path = context_.settings().secrets_key_file;
    std::error_code failed;
    if (!box && (std::filesystem::exists(path, failed) || failed)) return;  // said already
    const std::string problem = box ? store::key_problem(context_.connection(), *box, path)
                                    : store::missing_key_problem(context_.connection(), path);
    if (const auto fix = problem.find(": put"); !problem.empty())
      add("key", "fail", problem.substr(0, fix), problem.substr(fix + 2));
  }
  void look_at_rights() {
    const std::string problem = store::rights_problem(context_.connection());
    const auto fix = problem.find(": ");
    if (!problem.empty()) add("rights", "fail", problem.substr(0, fix), problem.substr(fix + 2));
    const std::string others =
        store::plugins_rights_problem(context_.connection(), context_.registry().migrations());
    const auto other_fix = others.find(": ");
    if (!others.empty()) add("rights", "fail", others.substr(0, other_fix), others.substr(other_fix + 2));
  }
  void look_at_switches() {
    for (const auto& one : admin::switches(context_.connection(), {}))
      judge("switches", !one.paused, "warn",
            one.name + " is paused by " + one.actor + " (" + one.reason + ")",
            "orderctl switches resume " + one.name + " --reason TEXT");
    for (const auto& [instance, state] : admin::plugin_states(context_.connection()))
      judge("breakers", state.breaker == "closed", "warn",
            "calls to plugin " + instance + " are held back after failures, " +
                counted(state.parked, "order") + " of its kept back",
            "look at its provider; calls go on by themselves when it answers");
    const bool any_key = context_.connection().run(live_keys).boolean(0, 0);
    judge("access", any_key || context_.settings().access_keys != "required", "warn",
          "keys are required and there is none: every request is answered 401",
          "orderctl keys create CALLER orders:read,orders:write");
  }
  void look_at_schema() {
    for (const auto& row : schema_differences(context_).rows)
      add("schema", "fail", row[0] + " " + row[1] + " " + row[3],
          row[3] == "pending" ? "orderctl migrate apply" : "install what belongs together");
  }
  void look_at_work() {
    const auto rows = context_.connection().run(work_facts);
    judge("work", rows.integer(0, 0) == 0, "warn", counted(rows.integer(0, 0), "order") + " stuck",
          "orderctl sagas list --state STUCK names them, sagas explain says what helps");
    judge("work", rows.integer(0, 1) <= lag_events_max, "warn",
          "a consumer is " + counted(rows.integer(0, 1), "event") + " behind", "orderctl outbox names it");
    judge("work", rows.integer(0, 2) > 0, "warn", "no host has worked on this database in the last minute",
          "systemctl start orderd");
    const auto letters = context_.connection().run(letters_by_consumer);
    for (int i = 0; i < letters.size(); ++i)
      add("work", "warn",
          counted(letters.integer(i, 1), "dead letter") + " of " + std::string(letters.bytes(i, 0)),
          "orderctl dead-letters list --consumer " + std::string(letters.bytes(i, 0)) + " names them");
    for (const auto& [instance, payments] : reconcile::count_unknown(context_.connection()))
      judge(
          "work", payments == 0, "warn",
          counted(payments, "payment") + " at " + instance + " of no order of this database",
          "orderctl reconcile unknown " + instance + " lists them; orderctl reconcile acknowledge ends this");
  }
  void look_at_builds() {
    const auto store = build_store(context_.settings());
    const auto builds = admin::builds(context_.connection());
    const auto runs = [&](const std::string& instance) {
      return std::any_of(builds.begin(), builds.end(),
                         [&](const auto& one) { return one.instance == instance && one.hosts > 0; });
    };
    for (const auto& one : builds) {
      judge("builds", !one.current || one.hosts > 0 || !runs(one.instance), "fail",
            "no host uses build " + one.digest.substr(0, 12) + " of plugin " + one.instance +
                ", to which new orders should go" + (one.problem.empty() ? "" : ": " + one.problem),
            "orderctl plugin rollback " + one.instance + " --reason TEXT, or mend what it names");
      judge("builds", (!one.current && one.orders == 0) || store.find(one.digest), "fail",
            "build " + one.digest.substr(0, 12) + " of plugin " + one.instance + " is not in " +
                store.folder().string() + (one.current ? ", and new orders begin with it" : "") +
                (one.orders > 0 ? ": needed by " + counted(one.orders, "order") : ""),
            "make the folder writable for orderd, or orderctl plugin install " + one.instance + " FILE");
    }
  }
  void look_at_answer(const std::string& answer) {
    const bool ready = answer.find("\"ready\"") != answer.npos;
    add("host", ready ? "ok" : "warn", answer,
        ready ? "" : "mend what it names; journalctl -u orderd has more of it");
  }
  void look_at_host() {
    if (!context_.settings().roles.contains("api")) return;
    const std::string answer = ask_host(context_, "/healthz/ready");
    if (answer.empty())
      add("host", "warn", "none answers on port " + std::to_string(context_.settings().http_port),
          "systemctl start orderd");
    else
      look_at_answer(answer);
  }

 public:
  /// The body of a GET from this machine's host; "" if there is none.
  static std::string ask_host(Context& context, const std::string& path) {
    const auto& settings = context.settings();
    const bool any = settings.http_address == "0.0.0.0" || settings.http_address == "::";
    try {
      Poco::Net::HTTPClientSession session(any ? "127.0.0.1" : settings.http_address, settings.http_port);
      session.setTimeout(Poco::Timespan(2, 0));
      Poco::Net::HTTPRequest request("GET", path, Poco::Net::HTTPMessage::HTTP_1_1);
      session.sendRequest(request);
      Poco::Net::HTTPResponse response;
      std::string body;
      Poco::StreamCopier::copyToString(session.receiveResponse(response), body);
      return body;
    } catch (const Poco::Exception&) { return ""; }
  }

 private:
  Context& context_;
  bool fit_ = false;
  store::Report report_{{"check", "state", "finding", "fix"}, {}};
};

int doctor(Context& context, const Words& words) {
  expect_no_words(words);
  const auto report = Examination(context).run();
  context.print(report);
  for (const auto& row : report.rows)
    if (row[1] == "fail") return 1;
  return 0;
}

Poco::JSON::Array json_of(const store::Report& report) {
  Poco::JSON::Array array;
  for (const auto& row : report.rows) {
    Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
    for (std::size_t i = 0; i < row.size(); ++i) object.set(report.columns[i], config::masked_text(row[i]));
    array.add(object);
  }
  return array;
}

int diag(Context& context, const Words& words) {
  if (words.size() > 1) throw UsageError("diag takes FILE, or nothing");
  // Opened first: by then this may no longer be root.
  std::ofstream file;
  if (!words.empty()) file.open(words[0]);
  if (!words.empty() && !file) throw std::runtime_error("cannot write " + words[0]);
  Poco::JSON::Object bundle(Poco::JSON_PRESERVE_KEY_ORDER);
  bundle.set("version", version);
  const auto section = [&](const char* name, const std::function<store::Report(Context&)>& make) {
    try {
      bundle.set(name, json_of(make(context)));
    } catch (const std::exception& error) { bundle.set(name, config::masked_text(error.what())); }
  };
  section("config", shown_config);
  section("doctor", [](Context& from) { return Examination(from).run(); });
  section("plugins", loaded_plugins);
  section("schema", schema_differences);
  section("outbox", outbox_positions);
  section("sagas", stuck_and_live_sagas);
  section("parked", parked_events);
  section("metrics", [](Context& from) {
    return store::Report{{"text"}, {{Examination::ask_host(from, "/metrics")}}};
  });
  std::ostream& out = words.empty() ? std::cout : file;
  bundle.stringify(out, 2);
  out << "\n" << std::flush;
  if (!out) throw std::runtime_error("cannot write all of it");
  return 0;
}

}  // namespace

std::vector<Verb> doctor_verbs() {
  return {
      {"doctor", "",
       "check everything that a person would, with the fix for each finding; ends with 1 on a failure",
       doctor},
      {"diag", "[FILE]", "what helps somebody far away, as one JSON text without secrets", diag},
  };
}

}  // namespace orderd::ctl
