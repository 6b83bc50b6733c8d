#pragma once
// A host's time, as base/clock.h makes it of three clocks: its own, which somebody turns, a steady one, and
// the database's, which it asks for. That one may be turned, too: another server took over.
#include "base/clock.h"
#include "base/fault.h"

namespace orderd::sim {

class HostClock final : public Clock {
 public:
  /// `world`: time as it really passes.
  explicit HostClock(const Clock& world) : world_(world), carried_(world.now(), steady()) {}
  Time now() const override {
    return fault::mutation("time_by_host") ? world_.now() + turned_ : carried_.at(steady());
  }
  /// A process begins: it has its own clock to go by, until it has asked.
  void begin() { carried_ = CarriedClock(world_.now() + turned_, steady()); }
  void turn(Millis by) { turned_ = by; }
  void ask(Time database) { carried_.measured(database, steady()); }
  /// A time of this clock's, as it will really be.
  Time real(Time time) const { return world_.now() + (time - now()); }

 private:
  Millis steady() const { return world_.now().time_since_epoch(); }
  const Clock& world_;
  CarriedClock carried_;
  Millis turned_{0};
};

}  // namespace orderd::sim
