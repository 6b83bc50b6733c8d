#include "sse/frame.h"

#include <catch2/catch.hpp>

using namespace orderd;
using namespace orderd::sse;

namespace {

const Uuid order_id = *Uuid::parse("01920000-0000-7000-8000-000000000000");

std::vector<HistoryEntry> history(std::vector<Status> statuses) {
  std::vector<HistoryEntry> out;
  for (const Status status : statuses)
    out.push_back({static_cast<std::int32_t>(out.size() + 1), status, PaymentStatus::none, Time{}, "null"});
  return out;
}

std::vector<int> ids_in(const std::string& bytes) {
  std::vector<int> ids;
  for (std::size_t at = 0; (at = bytes.find("\nid: ", at)) != bytes.npos; ++at)
    ids.push_back(std::stoi(bytes.substr(at + 5)));
  return ids;
}

const auto open_order = history({Status::pending, Status::payment_authorized, Status::inventory_reserved});
const auto ended_order = history({Status::pending, Status::rejected});

}  // namespace

TEST_CASE("A message is id, event and one line of data") {
  const Frame one = frame(order_id, open_order[1]);
  CHECK(one.bytes ==
        "id: 2\nevent: status\ndata: "
        "{\"orderId\":\"01920000-0000-7000-8000-000000000000\",\"status\":\"PAYMENT_AUTHORIZED\","
        "\"version\":2,\"paymentStatus\":\"NONE\",\"at\":\"1970-01-01T00:00:00.000Z\",\"reason\":null}\n\n");
  CHECK_FALSE(one.last);
  CHECK(frame(order_id, ended_order[1]).last);
}

TEST_CASE("Without Last-Event-ID a stream begins with the present state, with it behind it") {
  using Ids = std::vector<int>;
  CHECK(ids_in(begin_stream(order_id, open_order, {}).bytes) == Ids{3});
  CHECK(ids_in(begin_stream(order_id, open_order, 0).bytes) == Ids{1, 2, 3});
  CHECK(ids_in(begin_stream(order_id, open_order, 1).bytes) == Ids{2, 3});
  const Beginning none = begin_stream(order_id, open_order, 3);
  CHECK(ids_in(none.bytes).empty());
  CHECK(none.version == 3);
  CHECK_FALSE(none.nothing_left);
  CHECK(begin_stream(order_id, open_order, 77).version == 3);
  CHECK(none.bytes.find("retry: 2000\n\n") == 0);
}

TEST_CASE("A stream of an ended order ends behind its last version, and has nothing left after it") {
  CHECK(begin_stream(order_id, ended_order, {}).ends);
  CHECK_FALSE(begin_stream(order_id, ended_order, {}).nothing_left);
  CHECK_FALSE(begin_stream(order_id, ended_order, 1).nothing_left);
  CHECK(begin_stream(order_id, ended_order, 2).nothing_left);
  CHECK_FALSE(begin_stream(order_id, open_order, {}).ends);
}

TEST_CASE("Last-Event-ID is a whole number") {
  CHECK(parse_last_event_id("0") == 0);
  CHECK(parse_last_event_id("2147483647") == 2147483647);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1.0", "2147483648", "x"})
    CHECK_FALSE(parse_last_event_id(bad));
}
