#pragma once
// What a lock, a full disk or a missing right holds up: which products, and how much more is tried in a tick.
#include <algorithm>
#include <map>
#include <string>

#include "base/clock.h"
#include "model/order.h"

namespace orderd::saga {

/// Somebody holds the rows of a popular product: its orders wait for a while without being tried, so that the
/// others do not wait behind each one's lock timeout.
class Blocked {
 public:
  /// Failed attempts of one tick, each as long as a lock timeout, before what is left waits untried.
  static constexpr int patience = 8;

  void begin_tick(Time now) {
    left_ = patience;
    std::erase_if(until_, [&](const auto& one) { return one.second <= now; });
  }
  void failed() { --left_; }
  bool out_of_patience() const { return left_ <= 0; }

  /// Events of the log, as they are read: those that wait hold their shard's position.
  std::int64_t next_event() { return ++events_read_; }

  void block(const OrderBody& body, Time until) {
    for (const Item& item : body.items) until_[item.sku] = std::max(until_[item.sku], until);
  }
  /// When its products may be tried again; Time{} for at once.
  Time until(const OrderBody& body) const {
    Time latest{};
    for (const Item& item : body.items)
      if (const auto found = until_.find(item.sku); found != until_.end())
        latest = std::max(latest, found->second);
    return latest;
  }

 private:
  std::map<std::string, Time> until_;  // by product; no more than what is blocked at this moment
  int left_ = patience;
  std::int64_t events_read_ = 0;
};

}  // namespace orderd::saga
