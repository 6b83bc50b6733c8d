// "orderd.tx/1" over a function of the test's own: a statement and its parameters in, rows out.
#ifndef ORDERD_TESTING_FAKE_DATABASE_HPP
#define ORDERD_TESTING_FAKE_DATABASE_HPP

#include <orderd/tx.h>

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <orderd/barrier.hpp>

namespace orderd::testing {

struct Rows {
  std::vector<std::uint32_t> types;  // oids, one a column
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::uint64_t affected = 0;
  std::string sqlstate{}, message{};  // of a failure
};

/// What the database does with one statement; `binary` is the format wanted for the result.
using Database =
    std::function<Rows(const char* sql, const orderd_param* params, std::uint32_t count, bool binary)>;

}  // namespace orderd::testing

struct orderd_result {
  orderd::testing::Rows rows;
};

/// One lent transaction. Open until close(), on the thread that made it.
struct orderd_tx {
  orderd::testing::Database database;
  std::thread::id thread = std::this_thread::get_id();
  bool open = true;
  std::size_t statements = 0, late = 0;  // late: after close(), or on another thread
  std::string failed{};                  // the first failure's message
  std::deque<orderd_result> results{};
};

namespace orderd::testing {

inline orderd_status refused(orderd_error* error, orderd_status status, const char* code,
                             const std::string& message) {
  sdk::describe(error, code, message);
  return status;
}

inline const orderd_tx_v1* fake_tx_table() {
  static const orderd_tx_v1 table = {
      [](orderd_tx* tx, const char* sql, const orderd_param* params, std::uint32_t count, std::int32_t format,
         const orderd_result** result, orderd_error* error) -> orderd_status {
        if (result) *result = nullptr;
        if (!tx || !sql)
          return refused(error, ORDERD_E_INVALID, "INVALID", "no transaction, or no statement");
        if (!tx->open || tx->thread != std::this_thread::get_id()) {
          ++tx->late;
          return refused(error, ORDERD_E_STALE, "STALE", "the transaction is not open here");
        }
        ++tx->statements;
        if (!tx->failed.empty()) return refused(error, ORDERD_E_SQL, "25P02", "an earlier statement failed");
        Rows rows = tx->database ? tx->database(sql, params, count, format == ORDERD_FORMAT_BINARY)
                                 : Rows{{}, {}, 0, "08003", "the fake host has no database"};
        if (!rows.sqlstate.empty()) {
          tx->failed = rows.message.empty() ? rows.sqlstate : rows.message;
          return refused(error, ORDERD_E_SQL, rows.sqlstate.c_str(), rows.message);
        }
        tx->results.push_back({std::move(rows)});
        if (result) *result = &tx->results.back();
        return ORDERD_OK;
      },
      [](const orderd_result* result) -> std::uint64_t { return result ? result->rows.rows.size() : 0; },
      [](const orderd_result* result) -> std::uint32_t {
        return result ? static_cast<std::uint32_t>(result->rows.types.size()) : 0;
      },
      [](const orderd_result* result) -> std::uint64_t { return result ? result->rows.affected : 0; },
      [](const orderd_result* result, std::uint64_t row, std::uint32_t column) -> orderd_view {
        if (!result || row >= result->rows.rows.size() || column >= result->rows.rows[row].size())
          return {nullptr, 0};
        const auto& value = result->rows.rows[row][column];
        return value ? orderd_view{value->data(), value->size()} : orderd_view{nullptr, 0};
      },
      [](const orderd_result* result, std::uint32_t column) -> std::uint32_t {
        return result && column < result->rows.types.size() ? result->rows.types[column] : 0;
      }};
  return &table;
}

}  // namespace orderd::testing
#endif
