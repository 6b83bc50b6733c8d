#pragma once
// What the bank answers: its rules, and its faults on purpose. It is naive where a real one would protect its
// customer: a second capture of a payment, or an authorization after a void, is booked, so that the judge
// sees it. Owned and used by one thread; time and sending are the server's.
//
// Faults: a call that has its effect after the caller's deadline; a reply that is lost, or the connection
// with it; an outage of one call; a failure that is stored and replayed for the same key; keys that are
// forgotten after a window (the same key then is a new call); a query that lags behind; totals of another
// account; an answer that makes no sense (the plugin then passes nonsense on); a refund that is refused, and
// news of the payment after a person has decided about it.
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "ledger.h"

namespace bank {

struct Request {
  std::int64_t number = 0;  // the caller's own
  std::string op, key, payment, token, currency, cursor, build;
  std::int64_t amount = 0, deadline_ms = 0, since_ms = 0;
};

/// How a reply reaches the caller, if it does.
struct Delivery {
  enum class How { now, later, never, cut } how = How::now;
  std::int64_t at_ms = 0;
  std::string line;
};

struct Faults {
  std::uint64_t seed = 1;
  std::int64_t key_window_ms = 0;  // 0: keys are known for ever
  bool calm = false;
  bool webhooks = false;
};

class Teller {
 public:
  /// What was asked late is carried out by due(); its reply then goes where the request came from.
  using Send = std::function<void(std::uint64_t connection, const std::string& line)>;
  using Tell = std::function<void(const Event& event)>;

  Teller(Ledger& ledger, Faults faults, Send send, Tell tell);
  Delivery take(std::uint64_t connection, const Request& request);
  /// Does what is due and says when it wants to be called again; 0: no matter when.
  std::int64_t due(std::int64_t now);
  void calm() { faults_.calm = true; }

 private:
  struct Later {
    std::uint64_t connection;
    Request request;
  };
  bool chance(double share);
  std::int64_t some_ms(std::int64_t from, std::int64_t to);
  Delivery execute(std::uint64_t connection, const Request& request, std::int64_t now);
  bool captures_wait(const Payment& payment) const;
  const Call& carry_out(const Request& request, std::int64_t now);
  Call verdict(const Request& request, std::int64_t now);
  void judge_authorize(Call& call, const Request& request);
  void judge_capture(Call& call);
  void judge_void(Call& call, std::int64_t now);
  void judge_refund(Call& call);
  void settle(const std::string& key, std::int64_t now);
  void announce(const Call& call);
  std::string ask(const Request& request, std::int64_t now);
  std::string list(const Request& request) const;
  std::string answer(std::int64_t number, const Call& call, const char* found);
  Payment seen_now(const Payment& payment, const std::string& key);
  bool knows(const std::string& key, std::int64_t now) const;

  Ledger& ledger_;
  Faults faults_;
  const Send send_;
  const Tell tell_;
  std::mt19937_64 random_;
  std::multimap<std::int64_t, Later> late_;  // carried out then
  std::set<std::string> late_keys_;
  std::multimap<std::int64_t, std::string> waits_;   // pending calls are settled then
  std::multimap<std::int64_t, std::string> echoes_;  // told once more then
  std::map<std::string, int> refused_;               // refunds of a payment that were refused
  std::map<std::string, std::int64_t> visible_;      // a query does not see the key before
  std::map<std::string, std::int64_t> asked_;        // unknown keys: when a query came first
  std::int64_t events_ = 0;
};

}  // namespace bank
