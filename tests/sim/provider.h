#pragma once
// The payment provider, with a ledger of its own that no crash touches. It has no mercy: whatever it is asked
// for twice under different keys it does twice, so that the judge sees it.
#include "sim/remote.h"

namespace orderd::sim {

struct Money {
  std::int64_t authorized = 0, captured = 0, refunded = 0, voided = 0;
  bool closed = false;    // by a void
  bool reversed = false;  // a success of its own was taken back
  int refunds = 0;        // that were done at the host's word
  std::int64_t held() const { return captured - refunded + (captured == 0 ? authorized - voided : 0); }
};

class Provider final : public Remote {
 public:
  explicit Provider(World& world);
  const std::map<Uuid, Money>& ledger() const { return ledger_; }
  const Money& money(const Uuid& order) { return ledger_[order]; }
  /// Somebody gives the money back in the provider's own pages.
  void refund_past_the_host(const Uuid& order);
  /// The same of a part, before somebody marks it done.
  void refund_part(const Uuid& order, std::int64_t amount) { ledger_[order].refunded += amount; }

 private:
  std::optional<Call> carry_out(const Command& command, Call call) override;
  Outcome outcome_of(const Call& call) const override;
  void finished(const Call& call) override;
  std::optional<Outcome> misdirected(const Command& command) override;
  void tell_of_another(const Call& call);
  void authorize(Call& call, Money& money);
  void capture(Call& call, Money& money);
  void let_go(Call& call, Money& money);
  void refund(Call& call, Money& money);
  bool captures_wait(const Uuid& order) const;
  void book(const Call& call, int sign);
  void settle_later(const Call& call);
  void settle(const std::string& key, Fate fate, const std::string& code);
  void reverse_later(const Call& call);
  void tell(const Call& call, OutcomeKind kind, const std::string& code);
  PaymentTotals totals(const Uuid& order) const;

  std::map<Uuid, Money> ledger_;
  int events_ = 0;
};

}  // namespace orderd::sim
