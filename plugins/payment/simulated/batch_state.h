#pragma once
// The part of the ledger that one batch of commands is about, and what the bank decides on it. Pure: no
// clock, no database. LedgerStore fills a BatchState and saves what changed in it; one thread uses it.
#include <orderd/payment.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "token.h"

namespace simulated {

using orderd::sdk::Command;
using orderd::sdk::Outcome;

constexpr std::int64_t three_ds_expiry_ms = 15 * 60 * 1000;

struct Payment {
  std::string id, token, currency;
  std::int64_t authorized = 0, captured = 0, refunded = 0, voided = 0;
  std::int32_t failures = 0;  // of tok_flaky and tok_refund_fails, so far
  bool closed = false;        // voided: nothing is authorized any more
  std::int32_t changes = 0;   // 0: not in the ledger yet
  bool changed = false;
};

/// One movement of money: a row of `ledger`.
struct Effect {
  std::string key, payment_id;
  std::string kind;  // "authorize", "capture", "void", "refund"
  std::int64_t amount = 0;
};

/// A command that was answered without a movement of money, or not yet with one: a row of `calls`.
struct Call {
  std::string key, payment_id, kind;
  std::string state;  // "done", "declined", "pending"
  std::string code, message;
  bool soft = false;
  std::int64_t amount = 0;
  std::int64_t expires_ms = 0;
  std::optional<bool> approved;  // what the buyer said to his bank
  bool changed = false;
};

/// An outcome, and when the host gets it.
struct Answer {
  Outcome outcome;
  std::int64_t delay_ms = 0;
  bool never = false;  // the answer is lost on its way
};

class BatchState {
 public:
  /// What a command (query included) means for the payments in here. All rows that it names are loaded.
  Answer take(const Command& command, std::int64_t now_ms);

  std::map<std::string, Payment, std::less<>> payments;  // by id
  std::map<std::string, Effect, std::less<>> effects;    // by key
  std::map<std::string, Call, std::less<>> calls;        // by key
  std::vector<const Effect*> new_effects;                // in `effects`
  std::string page_url;                                  // of 3-D Secure, without the payment's id

  /// The payment that a key was sent for; "" for a key that is not in here.
  std::string payment_of(const std::string& key) const;
  /// Whether there is anything to save.
  bool changed() const { return changed_; }

 private:
  Answer again(const Command& command, std::int64_t now_ms);
  Answer authorize(const Command& command, std::int64_t now_ms);
  Outcome capture(const Command& command);
  Outcome void_authorization(const Command& command);
  Outcome refund(const Command& command);
  Outcome query(const Command& command, std::int64_t now_ms);

  Outcome settle_three_ds(Call& call, std::int64_t now_ms);
  Outcome settle_refund(Call& call);

  Outcome finish(Call& call);

  Payment& touch(const std::string& id);
  void move(Payment& payment, const std::string& key, const char* kind, std::int64_t amount);
  Call& remember(const Command& command, const char* kind, const char* state);
  Outcome decline(const Command& command, const char* kind, std::string code, std::string message,
                  bool soft = false);
  Outcome decline(Call& call, std::string code, std::string message);
  Outcome with_totals(Outcome outcome, const std::string& payment_id) const;

  bool changed_ = false;
};

/// The bank's own number of a payment.
std::string reference_of(const std::string& payment_id);

}  // namespace simulated
