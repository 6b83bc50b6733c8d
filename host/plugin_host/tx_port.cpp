#include "plugin_host/tx_port.h"

namespace orderd::plugins {

bool TxError::ends_transaction() const {
  // 40: serialization failure, deadlock. 08, 57: the connection or the server. 55P03: a lock that took too
  // long. 25P03: the transaction was ended for being idle. OD: the host's own statements found that it lost
  // its claim.
  const std::string_view state = sqlstate_;
  if (state.empty()) return true;
  for (const std::string_view lost : {"40", "08", "57", "55P03", "25P03", "OD"})
    if (state.substr(0, lost.size()) == lost) return true;
  return false;
}

}  // namespace orderd::plugins
