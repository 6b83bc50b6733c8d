#pragma once
// What will happen at a known time: a request that is on the wire, a buyer who makes up his mind.
#include <functional>
#include <map>

#include "base/clock.h"

namespace orderd::sim {

class Agenda {
 public:
  void at(Time time, std::function<void()> what) { waiting_.emplace(time, std::move(what)); }
  /// All that is due, in order of time; what is entered meanwhile and due as well.
  void run(Time now) {
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
      const auto what = std::move(waiting_.extract(waiting_.begin()).mapped());
      what();
    }
  }
  bool empty() const { return waiting_.empty(); }

 private:
  std::multimap<Time, std::function<void()>> waiting_;  // equal times: in order of entry
};

}  // namespace orderd::sim
