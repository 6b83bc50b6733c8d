#include "intake/cancel.h"

#include <catch2/catch.hpp>

using namespace orderd;
using intake::CancelDecision;

TEST_CASE("Whether a cancellation is written depends on the order's status alone") {
  const std::vector<std::pair<Status, CancelDecision>> table{
      {Status::pending, CancelDecision::request},
      {Status::payment_authorized, CancelDecision::request},
      {Status::inventory_reserved, CancelDecision::request},
      {Status::confirmed, CancelDecision::request},
      {Status::cancelling, CancelDecision::already_under_way},
      {Status::cancelled, CancelDecision::already_cancelled},
      {Status::rejected, CancelDecision::refused},
  };
  for (const auto& [status, decision] : table) {
    INFO(name(status));
    CHECK(intake::decide_cancel(status) == decision);
  }
}
