#pragma once
// The bank's own books: an append-only file, one JSON object a line, and what follows from it in memory. What
// was synced is true for ever, also after a kill; whatever was not, was told to nobody. Owned and used by one
// thread. The judge of a campaign reads the file.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bank {

struct Payment {
  std::string currency, token;
  std::int64_t authorized = 0, captured = 0, refunded = 0, voided = 0;
  std::int64_t changed_ms = 0;
  std::string capture_key;           // of the last capture that moved money
  std::vector<std::string> pending;  // keys of authorizations and captures that wait
};

enum class State { done, declined, failed, pending, never, reversed };

/// A call that was answered, or waits: by its key.
struct Call {
  std::string key, payment, kind;
  State state = State::done;
  std::int64_t amount = 0;
  std::string currency, code;
  std::int64_t at_ms = 0;
  std::string build{};  // of the client that made the call
};

/// What is told by webhook.
struct Event {
  std::string id, body;
};

class Ledger {
 public:
  /// Reads what is there, without a torn last line; throws std::runtime_error.
  explicit Ledger(const std::string& path);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// Writes it down, with its movement of money if its state is done.
  const Call& enter(Call call, std::string_view token = {});
  /// Something that moves nothing but should be counted: "late", "lost", "absorbed", …
  void note(std::string_view fault, std::string_view key);
  void event(const Event& event);
  /// Somebody took the event.
  void told(std::string_view id);
  /// Everything entered is on the disk when this returns.
  void sync();

  const Call* find(const std::string& key) const;
  Payment& payment(const std::string& id) { return payments_[id]; }
  const std::map<std::string, Payment>& payments() const { return payments_; }
  /// Calls that were pending when the file was read.
  std::vector<Call> pending() const;
  /// Events that nobody is known to have taken when the file was read, and the latest of the others.
  const std::vector<Event>& untold() const { return untold_; }
  /// How many events there were then.
  std::int64_t events() const { return events_; }

 private:
  void take(const std::string& line);
  void apply(const Call& call);
  int file_ = -1;
  std::string unwritten_;
  std::map<std::string, Payment> payments_;
  std::unordered_map<std::string, Call> calls_;
  std::unordered_map<std::string, std::string> event_lines_;  // by id, while the file is read
  std::vector<Event> untold_;
  std::int64_t events_ = 0;
};

std::int64_t now_ms();

}  // namespace bank
