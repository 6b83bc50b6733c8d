#include "session.h"

#include <orderd/migrations.h>
#include <orderd/projection.h>

#include <algorithm>
#include <cstring>

namespace orderd::checker {
namespace {

struct Clearer {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, Clearer>;

bool is_the_hosts(const std::string& sql) {
  std::string word;
  for (const char c : sql) {
    if (std::isalpha(static_cast<unsigned char>(c)))
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!word.empty())
      break;
  }
  for (const char* own : {"commit", "rollback", "begin", "start", "savepoint", "release", "set", "reset",
                          "listen", "notify", "copy", "end", "abort", "prepare", "discard"})
    if (word == own) return true;
  return false;
}

}  // namespace

Session::Session(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    std::string why = PQerrorMessage(connection_.get());
    std::replace(why.begin(), why.end(), '\n', ' ');
    throw std::runtime_error("--database: " + why);
  }
  script("begin");
  script("set client_min_messages = warning");
}

void Session::script(const std::string& sql) {
  const Answer answer(PQexec(connection_.get(), sql.c_str()));
  const auto status = PQresultStatus(answer.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    throw std::runtime_error(PQresultErrorMessage(answer.get()));
}

std::map<std::string, std::string> Session::written() {
  std::map<std::string, std::string> digests;
  const Answer tables(PQexec(connection_.get(),
                             "select format('%I.%I', schemaname, relname) from pg_stat_xact_user_tables "
                             "where n_tup_ins + n_tup_upd + n_tup_del > 0"));
  for (int row = 0; row < PQntuples(tables.get()); ++row) {
    const std::string table = PQgetvalue(tables.get(), row, 0);
    const std::string sql = "select md5(string_agg(t::text, ',' order by t::text)) from " + table + " t";
    const Answer digest(PQexec(connection_.get(), sql.c_str()));
    digests[table] = PQntuples(digest.get()) == 1 ? PQgetvalue(digest.get(), 0, 0) : "";
  }
  return digests;
}

testing::Rows Session::run(const char* sql, const orderd_param* params, std::uint32_t count, bool binary) {
  testing::Rows out;
  if (is_the_hosts(sql)) {
    forbidden.emplace_back(sql);
    out.sqlstate = "REFUS", out.message = "this statement is the host's";
    return out;
  }
  if (statements++ >= fail_from && fail_from >= 0) {
    out.sqlstate = "40P01", out.message = "deadlock detected (the checker's)";
    return out;
  }
  std::vector<Oid> types;
  std::vector<std::string> texts(count);
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  for (std::uint32_t i = 0; i < count; ++i) {
    texts[i] = std::string(sdk::text(params[i].value));
    types.push_back(params[i].type);
    values.push_back(params[i].value.data ? texts[i].c_str() : nullptr);
    lengths.push_back(static_cast<int>(texts[i].size()));
    formats.push_back(params[i].format);
  }
  const Answer answer(PQexecParams(connection_.get(), sql, static_cast<int>(count), types.data(),
                                   values.data(), lengths.data(), formats.data(), binary ? 1 : 0));
  const auto status = PQresultStatus(answer.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    const char* state = PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE);
    out.sqlstate = state ? state : "08006";
    out.message = PQresultErrorMessage(answer.get());
    return out;
  }
  out.affected = std::strtoull(PQcmdTuples(answer.get()), nullptr, 10);
  const int columns = PQnfields(answer.get());
  for (int column = 0; column < columns; ++column) out.types.push_back(PQftype(answer.get(), column));
  for (int row = 0; row < PQntuples(answer.get()); ++row) {
    auto& line = out.rows.emplace_back();
    for (int column = 0; column < columns; ++column)
      line.push_back(
          PQgetisnull(answer.get(), row, column)
              ? std::nullopt
              : std::optional(std::string(PQgetvalue(answer.get(), row, column),
                                          static_cast<std::size_t>(PQgetlength(answer.get(), row, column)))));
  }
  return out;
}

Lent::Lent(Case& c) : case_(c), begun_(c) {
  const auto* step = plugin().extension<orderd_step_v1>(ORDERD_EXT_STEP);
  if (!(step && step->execute_tx) && !plugin().extension<void>(ORDERD_EXT_PROJECTION))
    c.not_asked("it does not work in the host's transaction");
  if (c.options().database.empty()) c.skip("give a PostgreSQL by --database");
  session_ = std::make_unique<Session>(c.options().database);
  const auto* table = plugin().extension<orderd_migrations_v1>(ORDERD_EXT_MIGRATIONS);
  if (!table) return;
  std::uint32_t count = 0;
  const orderd_migration* all = table->list(plugin().abi(), &count);
  for (std::uint32_t i = 0; i < count; ++i) {
    c.expect(all[i].number == i + 1, "its migrations are not numbered from 1, by one");
    try {
      session_->script(all[i].sql);
    } catch (const std::exception& e) {
      c.fail("its migration " + std::to_string(all[i].number) + " fails: " + e.what());
      throw Enough();
    }
  }
}

Lent::~Lent() {
  std::size_t late = 0;
  for (const auto& loan : loans_) late += loan->late;
  case_.expect(late == 0, "it used a transaction after its call, or on another thread");
  for (const std::string& sql : session_ ? session_->forbidden : std::vector<std::string>{})
    case_.fail("it sent what is the host's: " + sql);
}

bool Lent::with(const std::function<orderd_status(orderd_tx*, orderd_error*)>& call, std::string* why) {
  auto& loan = *loans_.emplace_back(std::make_unique<orderd_tx>());
  loan.database = [this](auto... arguments) { return session_->run(arguments...); };
  orderd_error error;
  ORDERD_CLEAR(error);
  session_->script("savepoint lent");
  orderd_status status = ORDERD_E_INTERNAL;
  testing::note_call("a call with a transaction");
  try {
    status = call(&loan, &error);
  } catch (...) { case_.fail("an exception left a call with a transaction"); }
  loan.open = false;
  if (status == ORDERD_OK && !loan.failed.empty())
    case_.fail("it said OK after a statement had failed: " + loan.failed);
  if (why) *why = error.message;
  const bool well = status == ORDERD_OK && loan.failed.empty();
  session_->script(well ? "release savepoint lent" : "rollback to savepoint lent");
  return well;
}

std::vector<sdk::Outcome> Lent::execute(const std::vector<testing::CommandSpec>& specs, std::string* why) {
  const auto* step = plugin().extension<orderd_step_v1>(ORDERD_EXT_STEP);
  testing::AbiCommands commands;
  std::vector<orderd_ticket> tickets;
  for (const auto& spec : specs) commands.add(spec, tickets.emplace_back(host().open(false)));
  const bool well = with(
      [&](orderd_tx* tx, orderd_error* error) {
        testing::note_call("execute_tx()");
        return step->execute_tx(plugin().abi(), tx, commands.data(), commands.size(), error);
      },
      why);
  std::vector<sdk::Outcome> outcomes;
  for (const orderd_ticket ticket : tickets) {
    const auto outcome = host().wait(ticket, 0);
    (void)host().give_up(ticket);
    if (!well) continue;
    if (!outcome) case_.fail("a command was not completed inside execute_tx()");
    outcomes.push_back(outcome.value_or(sdk::Outcome::unknown("", "")));
    const std::int32_t kind = outcomes.back().kind;
    case_.expect(kind == ORDERD_DONE || kind == ORDERD_DECLINED || kind == ORDERD_RETRY,
                 std::string("a transactional command ended as ") + kind_name(kind));
  }
  return outcomes;
}

}  // namespace orderd::checker
