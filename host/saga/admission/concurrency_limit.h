#pragma once
// How many calls a plugin instance is given at once. More than its provider can work on only wait there until
// their deadline, become UNKNOWN, and must be asked for: an overload that feeds itself. So the rest waits
// here, where nothing is at risk. One thread, the engine's. Pure: time comes in.
//
// Twice a second: if half of the answers took longer than the quickest one of the last minute by more than a
// quarter of what a call may take, or did not come at all, fewer calls go out at once; else more, if all that
// may were out. Answers that were lost say nothing about load, and nearly half of them may be.
#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"

namespace orderd::saga {

class ConcurrencyLimit;

/// One order's place among the calls that are out. Its destructor gives the place back; a place that was
/// given back already, by an answer for one, is no concern of it. The limit outlives it.
class Permit {
 public:
  Permit(Permit&& other) noexcept : limit_(std::exchange(other.limit_, nullptr)), order_(other.order_) {}
  Permit& operator=(Permit&& other) noexcept;
  ~Permit();

 private:
  friend class ConcurrencyLimit;
  Permit(ConcurrencyLimit& limit, const Uuid& order) : limit_(&limit), order_(order) {}
  ConcurrencyLimit* limit_;
  Uuid order_;
};

class ConcurrencyLimit {
 public:
  /// The order counts as out, if there is room. It must not be out already.
  std::optional<Permit> take(const Uuid& order);
  /// Its call goes out now.
  void sent(const Uuid& order, Time now);
  /// When the call that is out went; Time{} if none is.
  Time sent_at(const Uuid& order) const;
  /// Its answer came at `arrived`, or word that none will; a call may take `patience`. False: the answer is
  /// of an earlier call, or the order is not out; else its place is free.
  bool answered(const Uuid& order, Time arrived, Millis patience);

  bool full() const { return out_.size() >= static_cast<std::size_t>(size_); }
  std::size_t size() const { return static_cast<std::size_t>(size_); }
  std::size_t out() const { return out_.size(); }
  /// Half of the answers took longer, when it was last looked at.
  Millis median() const { return median_; }

 private:
  friend class Permit;
  void adjust(Time now);
  double size_ = 256;
  std::unordered_map<Uuid, Time> out_;  // and when it went
  bool was_full_ = false;               // since the last look
  std::vector<Millis> took_;            // since the last look
  Millis patience_{}, median_{}, quickest_{Millis::max()}, quickest_lately_{Millis::max()};
  Time looked_{}, minute_began_{};
};

}  // namespace orderd::saga
