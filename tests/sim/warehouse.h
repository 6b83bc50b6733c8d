#pragma once
// Where goods are: a warehouse over the network, which may let go of a reservation by itself; or the tables
// of a plugin in this PostgreSQL. And a third party that is asked for its opinion and holds nothing.
#include "plugin_ports/step.h"
#include "sim/remote.h"

namespace orderd::sim {

class Warehouse final : public Remote {
 public:
  explicit Warehouse(World& world);
  bool holds(const Uuid& order) const;
  bool has_sold(const Uuid& order) const;
  std::int64_t pieces() const;

 private:
  enum class State { reserved, sold, closed, expired };
  std::optional<Call> carry_out(const Command& command, Call call) override;
  void reserve(Call& call);
  void hold_until(const Uuid& order, Time end);

  std::map<Uuid, State> of_;
  std::map<Uuid, Time> ends_;  // of reservations that have an end
  std::int64_t on_hand_;
};

class Checker final : public Remote {
 public:
  explicit Checker(World& world);

 private:
  std::optional<Call> carry_out(const Command& command, Call call) override;
};

/// What the inventory plugin does inside the host's transaction.
std::vector<Outcome> execute_here(World& world, plugins::TxPort& tx, const std::vector<Command>& commands);

}  // namespace orderd::sim
