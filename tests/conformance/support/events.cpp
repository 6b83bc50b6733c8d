#include "conformance/support/events.h"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>

namespace orderd::bus::test {

Event make_event(const Uuid& order_id, std::int32_t version, const std::string& payload) {
  static constexpr EventType types[] = {EventType::order_created, EventType::payment_authorized,
                                        EventType::inventory_reserved, EventType::order_confirmed};
  Event event;
  event.order_id = order_id;
  event.version = version;
  event.type = types[static_cast<std::size_t>(version - 1) % std::size(types)];
  event.at = now();
  event.payload = payload;
  event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  return event;
}

std::vector<Event> make_events(std::size_t count) { return make_lines(count, 1); }

std::vector<Event> make_lines(std::size_t orders, std::int32_t versions) {
  std::vector<Uuid> order_ids(orders);
  for (auto& id : order_ids) id = Uuid::v7();
  std::vector<Event> events;
  for (std::int32_t version = 1; version <= versions; ++version)
    for (const auto& id : order_ids) events.push_back(make_event(id, version));
  return events;
}

std::vector<Record> read_until(Subscription& reader,
                               const std::function<bool(const std::vector<Record>&)>& done) {
  std::vector<Record> all;
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!done(all)) {
    if (std::chrono::steady_clock::now() > end) {
      FAIL("read only " << all.size() << " records within " << patience.count() << " s");
    }
    for (auto& record : reader.poll(500, poll_step)) all.push_back(std::move(record));
  }
  return all;
}

std::vector<Record> read_count(Subscription& reader, std::size_t count) {
  return read_until(reader, [&](const auto& all) { return all.size() >= count; });
}

bool eventually(const std::function<bool()>& condition) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    never.wait_for(lock, std::chrono::milliseconds(20));
  }
  return true;
}

std::vector<Uuid> ids(const std::vector<Record>& records) {
  std::vector<Uuid> out;
  for (const auto& record : records) out.push_back(record.event.order_id);
  return out;
}

std::vector<Uuid> ids(const std::vector<Event>& events) {
  std::vector<Uuid> out;
  for (const auto& event : events) out.push_back(event.order_id);
  return out;
}

std::string out_of_order(const std::vector<Record>& records) {
  std::map<Uuid, std::int32_t> last;
  for (const auto& record : records) {
    auto& version = last[record.event.order_id];
    if (record.event.version > version + 1)
      return "position " + std::to_string(record.position) + " has version " +
             std::to_string(record.event.version) + " of order " + record.event.order_id.to_string() +
             " behind its version " + std::to_string(version);
    version = std::max(version, record.event.version);
  }
  return "";
}

}  // namespace orderd::bus::test
