#pragma once
// The read model: one more reader of the bus, who saves his position with what he did, dies, and reads again.
#include <map>

#include "model/event.h"
#include "model/order_json.h"

namespace orderd::sim {

struct World;

class Follower {
 public:
  explicit Follower(World& world) : world_(world) {}
  void turn();
  bool is_level() const;
  /// Throws Wrong when an order's row is not what its last event says.
  void compare() const;

 private:
  struct Row {
    std::int32_t version = 0;
    Status status = Status::pending;
    PaymentStatus payment = PaymentStatus::none;
  };
  void apply(const Event& event);

  World& world_;
  std::map<Uuid, Row> rows_;
  std::map<std::int32_t, std::size_t> saved_;
};

}  // namespace orderd::sim
