#pragma once
#include <functional>
#include <string>

#include "plugin_host/calling/fill_error.h"
#include "plugin_host/loading/instance.h"

namespace orderd::plugins {

/// How a call with a lent transaction ended.
struct LentCall {
  orderd_status status = ORDERD_OK;
  std::string message;         // of a failure
  std::optional<TxError> sql;  // the statement that failed, if one did
  bool ok() const { return status == ORDERD_OK; }
};

/// Lends `tx` to `body` for its duration. A statement that failed fails the call, whatever the plugin says;
/// an exception that leaves the plugin does too.
LentCall call_with(Instance& instance, TxPort& tx, const char* what,
                   const std::function<orderd_status(orderd_tx*, orderd_error*)>& body);

/// For calls that either succeed or end what the caller does: TxError, with
/// sqlstate_plugin_refused if no statement failed.
void throw_if_failed(const LentCall& call);

}  // namespace orderd::plugins
