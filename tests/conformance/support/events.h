#pragma once
// Events for the conformance suite, and reading a bus until what is expected has come.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bus/event_bus.h"

namespace orderd::bus::test {

/// How long a condition may take to come true before the test fails. Far above what it takes.
inline constexpr std::chrono::seconds patience{60};
inline constexpr std::chrono::milliseconds poll_step{200};

/// Version `version` of an order, with every field set.
Event make_event(const Uuid& order_id, std::int32_t version,
                 const std::string& payload = R"({"total":1999})");
/// `count` orders' first events.
std::vector<Event> make_events(std::size_t count);
/// Versions 1..`versions` of `orders` orders, interleaved: all first versions, then all second ones, ...
std::vector<Event> make_lines(std::size_t orders, std::int32_t versions);

/// Polls until `done`, or fails the test when patience is over.
std::vector<Record> read_until(Subscription& reader,
                               const std::function<bool(const std::vector<Record>&)>& done);
/// Polls until `count` records have come.
std::vector<Record> read_count(Subscription& reader, std::size_t count);
/// Waits for `condition`, looking again and again; whether it came true within patience.
bool eventually(const std::function<bool()>& condition);

std::vector<Uuid> ids(const std::vector<Record>& records);
std::vector<Uuid> ids(const std::vector<Event>& events);
/// "" when, duplicates left out, every order's versions rise by one from 1; else the first record that breaks
/// that.
std::string out_of_order(const std::vector<Record>& records);

}  // namespace orderd::bus::test
