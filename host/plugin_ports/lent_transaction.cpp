#include "plugin_ports/lent_transaction.h"

#include <functional>

namespace orderd::plugins {
namespace {

constexpr store::Statement set_savepoint{"lent_savepoint", "savepoint lent"};
constexpr store::Statement drop_savepoint{"lent_release", "release savepoint lent"};
constexpr store::Statement back_to_savepoint{"lent_rollback", "rollback to savepoint lent"};

class LentResult final : public TxResult {
 public:
  explicit LentResult(store::Rows rows) : rows_(std::move(rows)) {}
  std::size_t rows() const override { return static_cast<std::size_t>(rows_.size()); }
  std::size_t columns() const override { return static_cast<std::size_t>(PQnfields(rows_.raw())); }
  std::uint64_t affected() const override { return static_cast<std::uint64_t>(rows_.affected()); }
  std::optional<std::string_view> value(std::size_t row, std::size_t column) const override {
    const int r = static_cast<int>(row), c = static_cast<int>(column);
    return rows_.is_null(r, c) ? std::nullopt : std::optional(rows_.bytes(r, c));
  }
  std::uint32_t column_type(std::size_t column) const override {
    return PQftype(rows_.raw(), static_cast<int>(column));
  }

 private:
  store::Rows rows_;
};

template <typename Call>
auto guarded(Call call) {
  try {
    return call();
  } catch (const store::DbError& error) {
    throw TxError(error.connection_lost ? "" : error.sqlstate, error.what());
  }
}

}  // namespace

std::unique_ptr<TxResult> LentTransaction::exec(const char* sql, std::span<const TxParam> params,
                                                bool binary_result) {
  return guarded([&]() -> std::unique_ptr<TxResult> {
    return std::make_unique<LentResult>(work_.run_foreign(
        sql, params.size(),
        [&](std::size_t i) {
          return store::ForeignParam{params[i].type, params[i].binary, params[i].value};
        },
        binary_result));
  });
}

// Setting and dropping a savepoint cannot fail by themselves: they travel with the next statement.
void LentTransaction::savepoint() {
  guarded([&] { work_.send(set_savepoint); });
}
void LentTransaction::release_savepoint() {
  guarded([&] { work_.send(drop_savepoint); });
}
void LentTransaction::rollback_to_savepoint() {
  guarded([&] { (void)work_.run(back_to_savepoint); });
}

}  // namespace orderd::plugins
