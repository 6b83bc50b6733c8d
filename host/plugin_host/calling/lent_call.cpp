#include "plugin_host/calling/lent_call.h"

#include "plugin_ports/outcome_check.h"

namespace orderd::plugins {

LentCall call_with(Instance& instance, TxPort& tx, const char* what,
                   const std::function<orderd_status(orderd_tx*, orderd_error*)>& body) {
  if (instance.down()) return {ORDERD_E_INTERNAL, instance.down_problem(), std::nullopt};
  LoanPool::Loan loan(instance.loans(), tx);
  orderd_error error;
  ORDERD_CLEAR(error);
  LentCall call;
  try {
    call.status = body(loan.get(), &error);
  } catch (...) {
    call.status = ORDERD_E_INTERNAL;
    fill_error(&error, "EXCEPTION", "an exception left the plugin");
    instance.misbehaving(std::string("an exception left ") + what + "()");
  }
  call.sql = loan.error();
  if (call.sql && call.ok()) {
    instance.misbehaving(std::string(what) + "() said OK after a statement had failed");
    call.status = ORDERD_E_SQL;
  }
  if (call.ok()) return call;
  const std::string text = one_line(message_of(error));
  call.message = instance.name() + ": " + what + "() failed: " +
                 (!text.empty() ? text
                  : call.sql    ? call.sql->what()
                                : "status " + std::to_string(call.status));
  call.message = instance.masked(call.message);
  return call;
}

void throw_if_failed(const LentCall& call) {
  if (call.sql) throw TxError(*call.sql);
  if (!call.ok()) throw TxError(sqlstate_plugin_refused, call.message);
}

}  // namespace orderd::plugins
