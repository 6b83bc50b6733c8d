#pragma once
#include "plugin_ports/tx.h"
#include "store/unit_of_work.h"

namespace orderd::plugins {

/// A store's open transaction as plugins get it. Lives inside one unit of work, on its thread.
class LentTransaction final : public TxPort {
 public:
  explicit LentTransaction(store::UnitOfWork& work) : work_(work) {}
  std::unique_ptr<TxResult> exec(const char* sql, std::span<const TxParam> params,
                                 bool binary_result) override;
  void savepoint() override;
  void release_savepoint() override;
  void rollback_to_savepoint() override;

 private:
  store::UnitOfWork& work_;
};

}  // namespace orderd::plugins
