// A payment provider as a class: one method a command of payment.h.
#ifndef ORDERD_SDK_PAYMENT_HPP
#define ORDERD_SDK_PAYMENT_HPP

#include <orderd/payment.h>

#include "step.hpp"

namespace orderd::sdk {

/// As SagaStep: take command and reply over and answer later, or answer at once; never wait for the network.
class PaymentProvider : public SagaStep {
 public:
  virtual void authorize(Command command, Reply&& reply) = 0;
  virtual void capture(Command command, Reply&& reply) = 0;
  virtual void void_authorization(Command command, Reply&& reply) = 0;
  virtual void refund(Command command, Reply&& reply) = 0;
  virtual void query(Command command, Reply&& reply) = 0;
  /// Reconciliation; only called if lists() says so.
  virtual void list_since(Command, Reply&& reply) { reply(Outcome::retry(0, "UNSUPPORTED", "no list")); }
  virtual bool lists() const { return false; }

  StepTraits traits() const override { return {true, 0, 0, 0}; }
  bool supports(std::string_view action) const override {
    return action == ORDERD_PAYMENT_AUTHORIZE || action == ORDERD_PAYMENT_CAPTURE ||
           action == ORDERD_PAYMENT_VOID || action == ORDERD_PAYMENT_REFUND ||
           action == ORDERD_PAYMENT_QUERY || (action == ORDERD_PAYMENT_LIST_SINCE && lists());
  }
  void execute(Command command, Reply&& reply) final {
    const std::string_view action = command.action;
    if (action == ORDERD_PAYMENT_AUTHORIZE) return authorize(std::move(command), std::move(reply));
    if (action == ORDERD_PAYMENT_CAPTURE) return capture(std::move(command), std::move(reply));
    if (action == ORDERD_PAYMENT_VOID) return void_authorization(std::move(command), std::move(reply));
    if (action == ORDERD_PAYMENT_REFUND) return refund(std::move(command), std::move(reply));
    if (action == ORDERD_PAYMENT_QUERY) return query(std::move(command), std::move(reply));
    if (action == ORDERD_PAYMENT_LIST_SINCE) return list_since(std::move(command), std::move(reply));
    reply(Outcome::declined("UNSUPPORTED_ACTION", "no payment command: " + command.action));
  }
};

}  // namespace orderd::sdk
#endif
