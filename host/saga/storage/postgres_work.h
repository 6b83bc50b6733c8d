#pragma once
// One transaction of the saga's store on PostgreSQL.
#include <map>

#include "outbox/leases.h"
#include "plugin_ports/lent_transaction.h"
#include "saga/storage/port.h"
#include "store/unit_of_work.h"

namespace orderd::saga {

StoreError translate(const store::DbError& error);

/// One transaction of the saga engine in PostgreSQL.
class PgWork final : public Store::Work {
 public:
  PgWork(store::Connection& connection, outbox::Leases& leases,
         std::map<std::int16_t, std::int64_t> positions);
  plugins::TxPort& tx() override { return lent_; }
  std::set<Uuid> commit(const std::vector<Change>& changes, const std::vector<DeadLetter>& parked,
                        const std::vector<std::int64_t>& taken) override;

 private:
  void write_states(const std::vector<Change>& changes, const std::vector<DeadLetter>& parked);
  void write_sagas(const std::vector<Change>& changes);
  void write_ends(const std::vector<Change>& changes);
  store::UnitOfWork work_;
  plugins::LentTransaction lent_;
  outbox::Leases& leases_;
  const std::map<std::int16_t, std::int64_t> positions_;
  std::vector<Uuid> starting_;
};

}  // namespace orderd::saga
