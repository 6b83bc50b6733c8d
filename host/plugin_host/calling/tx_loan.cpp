#include "plugin_host/calling/tx_loan.h"

#include <cctype>
#include <deque>
#include <thread>

#include "plugin_host/calling/fill_error.h"
#include "plugin_host/calling/translate.h"

struct orderd_result {
  std::unique_ptr<orderd::plugins::TxResult> rows;
};

struct orderd_tx {
  orderd::plugins::TxPort* port = nullptr;  // null while not lent
  std::thread::id thread;
  std::deque<orderd_result> results;
  std::optional<orderd::plugins::TxError> error;
};

namespace orderd::plugins {
namespace {

constexpr std::uint32_t params_max = 65535;  // the wire protocol's own limit

/// Past white space, comments and opening parentheses.
const char* first_word(const char* sql) {
  for (;;) {
    while (std::isspace(static_cast<unsigned char>(*sql)) || *sql == '(' || *sql == ';') ++sql;
    if (sql[0] == '-' && sql[1] == '-') {
      while (*sql && *sql != '\n') ++sql;
    } else if (sql[0] == '/' && sql[1] == '*') {
      for (sql += 2; *sql && !(sql[0] == '*' && sql[1] == '/'); ++sql) {}
      if (*sql) sql += 2;
    } else {
      return sql;
    }
  }
}

orderd_status refuse(orderd_error* error, orderd_status status, std::string_view code,
                     std::string_view message) {
  fill_error(error, code, message);
  return status;
}

orderd_status run(orderd_tx* tx, const char* sql, const orderd_param* params, std::uint32_t count,
                  bool binary, const orderd_result** result, orderd_error* error) {
  std::vector<TxParam> list(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    list[i] = {params[i].type, params[i].format == ORDERD_FORMAT_BINARY, std::nullopt};
    if (params[i].value.data) list[i].value = to_text(params[i].value);
  }
  try {
    orderd_result& kept = tx->results.emplace_back(orderd_result{tx->port->exec(sql, list, binary)});
    if (result) *result = &kept;
    return ORDERD_OK;
  } catch (const TxError& e) {
    tx->error.emplace(e);
    return refuse(error, ORDERD_E_SQL, e.sqlstate(), e.what());
  }
}

orderd_status exec(orderd_tx* tx, const char* sql, const orderd_param* params, std::uint32_t count,
                   std::int32_t result_format, const orderd_result** result, orderd_error* error) {
  if (result) *result = nullptr;
  if (!tx || !tx->port || tx->thread != std::this_thread::get_id())
    return refuse(error, ORDERD_E_STALE, "STALE",
                  "the transaction is open only inside the call it came with");
  if (!sql || count > params_max || (count > 0 && !params))
    return refuse(error, ORDERD_E_INVALID, "INVALID",
                  "exec needs a statement, and params if param_count is not 0");
  if (!statement_allowed(sql))
    return refuse(error, ORDERD_E_UNSUPPORTED, "REFUSED",
                  "this statement is the host's, or unknown: see tx.h");
  if (tx->error)
    return refuse(error, ORDERD_E_SQL, "25P02",
                  "an earlier statement of this call failed: return its status");
  try {
    return run(tx, sql, params, count, result_format == ORDERD_FORMAT_BINARY, result, error);
  } catch (const std::exception& e) {  // out of memory, or the host's own fault: never through the C ABI
    tx->error.emplace("", e.what());
    return refuse(error, ORDERD_E_INTERNAL, "HOST", e.what());
  }
}

std::uint64_t rows(const orderd_result* result) { return result ? result->rows->rows() : 0; }
std::uint32_t columns(const orderd_result* result) {
  return result ? static_cast<std::uint32_t>(result->rows->columns()) : 0;
}
std::uint64_t affected(const orderd_result* result) { return result ? result->rows->affected() : 0; }

orderd_view value(const orderd_result* result, std::uint64_t row, std::uint32_t column) {
  if (row >= rows(result) || column >= columns(result)) return {nullptr, 0};
  const auto found = result->rows->value(row, column);
  if (!found) return {nullptr, 0};
  return {found->data() ? found->data() : "", found->size()};
}

std::uint32_t column_type(const orderd_result* result, std::uint32_t column) {
  return column < columns(result) ? result->rows->column_type(column) : 0;
}

}  // namespace

const orderd_tx_v1* tx_table() {
  static const orderd_tx_v1 table = {exec, rows, columns, affected, value, column_type};
  return &table;
}

bool statement_allowed(const char* sql) {
  std::string word;
  for (const char* at = first_word(sql); std::isalpha(static_cast<unsigned char>(*at)); ++at)
    word.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(*at))));
  for (const char* allowed : {"select", "insert", "update", "delete", "with", "merge", "values", "lock",
                              "create", "alter", "drop", "truncate", "comment", "analyze"})
    if (word == allowed) return true;
  return false;
}

LoanPool::LoanPool() = default;
LoanPool::~LoanPool() = default;

LoanPool::Loan::Loan(LoanPool& pool, TxPort& port) : pool_(pool) {
  std::lock_guard lock(pool_.mutex_);
  if (pool_.free_.empty())
    pool_.free_.push_back(pool_.all_.emplace_back(std::make_unique<orderd_tx>()).get());
  tx_ = pool_.free_.back();
  pool_.free_.pop_back();
  tx_->port = &port;
  tx_->thread = std::this_thread::get_id();
}

LoanPool::Loan::~Loan() {
  std::lock_guard lock(pool_.mutex_);
  tx_->port = nullptr;
  tx_->thread = {};
  tx_->results.clear();
  tx_->error.reset();
  pool_.free_.push_back(tx_);
}

const std::optional<TxError>& LoanPool::Loan::error() const { return tx_->error; }

}  // namespace orderd::plugins
