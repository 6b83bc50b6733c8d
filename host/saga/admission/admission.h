#pragma once
// Whether calls go out to a plugin instance: its circuit breaker, how many may be out at once
// (concurrency_limit.h), and
// what a person paused. Sagas whose call may not go out are held here, in memory; they burn no retries and
// nothing is written while they wait. Orders that have begun go before those that have not. The breaker:
//
// 1. closed: everything goes. Five orders in a row that did not reach the provider open it, once nobody has
//    reached it for a second. What went out before the last success tells nothing: a burst's lost answers
//    time out together, long after the others.
// 2. open: nothing goes. After a wait (1 s, doubled up to 5 s) one call is let through as a probe.
// 3. The probe reached the provider: sagas resume gradually, at a quarter of what the instance answered in
//    a usual second (40 calls at least), twice as many each quarter of a second, until the breaker is
//    closed again. It did not: open again.
//
// One thread, the engine's. Pure but for what it holds: time comes in.
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "saga/admission/concurrency_limit.h"
#include "saga/storage/records.h"

namespace orderd::saga {

class CircuitBreaker {
 public:
  enum class State { closed, open, half_open };
  /// May one call go out?
  bool admit(Time now);
  /// What came back of a call that went out at `sent`: whether the provider was reached at all.
  void answered(const Uuid& order, bool reached, Time sent, Time now);
  State state() const { return state_; }
  /// Whether admit() would say no for a while: not now, and not as a probe.
  bool shut(Time now) const;
  Time since() const { return since_; }

 private:
  void change(State state, Time now);
  void count_usual(Time now);
  void refill(Time now);
  State state_ = State::closed;
  Time since_{}, probe_at_{}, probe_sent_{}, refilled_{}, last_success_{};
  Millis wait_{1000};
  std::set<Uuid> failed_;             // orders since the last success
  double left_ = 0, per_second_ = 0;  // half_open after its probe
  double usual_ = 0;                  // answers a second while closed, over the last seconds
  Time counted_since_{};
  int counted_ = 0;
};

class Admission {
 public:
  /// A permit, with which the order's call counts as out, if it may go now. An order has one at a time.
  std::optional<Permit> admit(const std::string& instance, const std::string& action, const Uuid& order,
                              Time now);
  /// An admitted order's call goes out.
  void sent(const std::string& instance, const Uuid& order, Time now) { limits_[instance].sent(order, now); }
  struct Heard {
    bool reached = false;  // the provider
    Time arrived{};
    Millis patience{};  // how long the call might have taken
  };
  struct Answered {
    bool is_over = false;        // the order's permit holds no place any more
    std::optional<Millis> took;  // the call; nullopt if the answer is of one that is out no more
  };
  Answered answered(const std::string& instance, const Uuid& order, const Heard& heard);
  /// What is paused: "captures", "plugin:<instance>".
  void pause(std::set<std::string> switches) { switches_ = std::move(switches); }

  /// `begun`: something of it went out before.
  void hold(const std::string& instance, const std::string& action, const Uuid& order, bool begun);
  /// Whether this action will not go out for a while: a person paused it, or the breaker is open.
  bool shut(const std::string& instance, const std::string& action) const;
  std::size_t held(const std::string& instance) const;
  /// Held orders whose call may go out now. `action_of` tells what an order would send; "" drops it.
  std::vector<std::pair<Uuid, Permit>> release(Time now,
                                               const std::function<std::string(const Uuid&)>& action_of);
  bool holds_any() const;
  /// Held orders that wait only for room: nobody holds them back, and their plugin can be reached.
  std::size_t waiting_for_room() const;
  /// Instances that nothing goes out to for now: the breaker is open, or a person paused them.
  std::set<std::string> broken(Time now) const;
  /// The order is another host's: it is not held any more.
  void forget(const Uuid& order);
  void forget_all() { held_.clear(); }
  std::vector<PluginStatus> status(const std::set<std::string>& instances) const;
  const ConcurrencyLimit* concurrency_limit(const std::string& instance) const;

 private:
  bool paused(const std::string& instance, const std::string& action) const;
  std::optional<Permit> let_out(const std::string& instance, const Uuid& order, Time now);
  std::map<std::string, CircuitBreaker> breakers_;
  std::map<std::string, ConcurrencyLimit> limits_;
  struct Held {
    std::unordered_map<Uuid, bool> orders;  // and whether it is a capture that waits
    std::size_t captures = 0;
    void erase(const Uuid& order);
    std::array<std::deque<Uuid>, 2>
        lines;  // those that have begun, those that have not; and some held no more
  };
  std::map<std::string, Held> held_;
  std::set<std::string> switches_;
};

}  // namespace orderd::saga
