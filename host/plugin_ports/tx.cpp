#include "plugin_ports/tx.h"

#include "store/db_error.h"

namespace orderd::plugins {

bool TxError::ends_transaction() const {
  // OD: the host's own statements found that it lost its claim.
  return store::trouble_of(sqlstate_) != store::Trouble::permanent;
}

}  // namespace orderd::plugins
