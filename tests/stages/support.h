#pragma once
#include <catch2/catch.hpp>

#include "functional/support/test_database.h"
#include "model/order_json.h"
#include "outbox/leases.h"
#include "outbox/log.h"

namespace orderd::test {

inline constexpr std::chrono::milliseconds no_wait{0};

/// ORDER_CREATED of a new order.
inline Event some_event() {
  OrderHead head;
  head.id = Uuid::v7();
  head.version = 1;
  head.at = now();
  OrderBody body;
  body.customer_id = "c-1";
  body.currency = "EUR";
  return {head.id, 1, EventType::order_created, head.at, event_payload(head, body_members(body)), ""};
}

/// Commits `count` events into one shard.
inline std::vector<Event> append_events(TestDatabase& database, std::int16_t shard, std::size_t count) {
  std::vector<Event> events;
  while (events.size() < count) events.push_back(some_event());
  store::UnitOfWork work(database.session());
  outbox::append(work, {{shard, events}});
  work.commit();
  return events;
}

inline outbox::LeaseOptions lease_of(const std::string& consumer) { return {consumer, Uuid::v7(), 8000}; }

}  // namespace orderd::test
