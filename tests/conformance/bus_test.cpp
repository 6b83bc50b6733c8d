// What every event bus must do, whatever is behind it.
#include <catch2/catch.hpp>
#include <future>
#include <set>

#include "conformance/support/buses.h"
#include "conformance/support/events.h"

using namespace orderd;
using namespace orderd::bus;
using namespace orderd::bus::test;

namespace {

constexpr std::chrono::hours forever{1};

#define WITH_EVERY_BUS                                          \
  const Kind kind = GENERATE(from_range(all_kinds()));          \
  INFO("bus: " << kind.name);                                   \
  const std::unique_ptr<BusUnderTest> under_test = kind.make(); \
  EventBus& bus = under_test->bus()

}  // namespace

TEST_CASE("An event arrives with every field as it was published") {
  WITH_EVERY_BUS;
  std::vector<Event> events = make_lines(1, 4);
  events[1].payload = "not JSON: a bus does not look into what it carries \xc3\xa9";
  events[2].traceparent = "";
  under_test->publish(2, events);
  const auto reader = bus.subscribe("saga");
  reader->start(2, before_first);
  const auto records = read_count(*reader, events.size());
  REQUIRE(records.size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    CHECK(records[i].partition == 2);
    CHECK(records[i].poison == "");
    CHECK(records[i].event.order_id == events[i].order_id);
    CHECK(records[i].event.version == events[i].version);
    CHECK(records[i].event.type == events[i].type);
    CHECK(records[i].event.at == events[i].at);
    CHECK(records[i].event.payload == events[i].payload);
    CHECK(records[i].event.traceparent == events[i].traceparent);
  }
}

TEST_CASE("The versions of each order arrive in order, and positions rise within a partition") {
  WITH_EVERY_BUS;
  const auto events = make_lines(50, 6);
  under_test->publish(0, events);
  const auto reader = bus.subscribe("saga");
  reader->start(0, before_first);
  const auto records = read_count(*reader, events.size());
  CHECK(ids(records) == ids(events));
  CHECK(out_of_order(records) == "");
  CHECK(std::adjacent_find(records.begin(), records.end(), [](const Record& a, const Record& b) {
          return a.position >= b.position;
        }) == records.end());
}

TEST_CASE("Thousands of events in all partitions arrive, each once and in its partition") {
  WITH_EVERY_BUS;
  constexpr std::size_t orders = 400;
  std::map<Uuid, std::int32_t> partition_of;
  std::size_t published = 0;
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    const auto events = make_lines(orders, 4);
    for (const auto& event : events) partition_of[event.order_id] = partition;
    published += events.size();
    under_test->publish(partition, events);
  }
  const auto reader = bus.subscribe("saga");
  for (std::int32_t partition = 0; partition < partitions; ++partition)
    reader->start(partition, before_first);
  const auto records = read_count(*reader, published);
  CHECK(records.size() == published);
  CHECK(out_of_order(records) == "");
  CHECK(std::all_of(records.begin(), records.end(), [&](const Record& record) {
    return partition_of.at(record.event.order_id) == record.partition;
  }));
}

TEST_CASE("A poll gives no more than it was asked for, and the next one goes on behind it") {
  WITH_EVERY_BUS;
  const auto events = make_events(25);
  under_test->publish(1, events);
  const auto reader = bus.subscribe("saga");
  reader->start(1, before_first);
  std::vector<Record> records;
  REQUIRE(eventually([&] {
    const auto batch = reader->poll(7, poll_step);
    CHECK(batch.size() <= 7);
    records.insert(records.end(), batch.begin(), batch.end());
    return records.size() == events.size();
  }));
  CHECK(ids(records) == ids(events));
}

TEST_CASE("Reading resumes behind a position, in a reader made later") {
  WITH_EVERY_BUS;
  const auto events = make_events(20);
  under_test->publish(3, events);
  Position saved = before_first;
  {
    const auto reader = bus.subscribe("saga");
    reader->start(3, before_first);
    saved = read_count(*reader, events.size())[11].position;
    reader->saved(3, saved);
  }
  const auto reader = bus.subscribe("saga");
  reader->start(3, saved);
  const auto expected = ids(std::vector<Event>(events.begin() + 12, events.end()));
  CHECK(ids(read_count(*reader, expected.size())) == expected);
}

TEST_CASE("What a crashed reader took and did not save is delivered again") {
  WITH_EVERY_BUS;
  const auto events = make_events(10);
  under_test->publish(0, events);
  for (int crash = 0; crash < 3; ++crash) {
    const auto reader = bus.subscribe("saga");
    reader->start(0, before_first);
    CHECK(ids(read_count(*reader, events.size())) == ids(events));
  }
}

TEST_CASE("Several readers with different partitions share the work: every event once") {
  WITH_EVERY_BUS;
  std::set<Uuid> published;
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    const auto events = make_events(50);
    for (const auto& event : events) published.insert(event.order_id);
    under_test->publish(partition, events);
  }
  const auto first = bus.subscribe("saga");
  const auto second = bus.subscribe("saga");
  for (std::int32_t partition = 0; partition < partitions; ++partition)
    (partition % 2 == 0 ? first : second)->start(partition, before_first);
  auto records = read_count(*first, published.size() / 2);
  for (auto& record : read_count(*second, published.size() / 2)) records.push_back(std::move(record));
  const auto read = ids(records);
  CHECK(read.size() == published.size());
  CHECK(std::set<Uuid>(read.begin(), read.end()) == published);
}

TEST_CASE("Two consumers read the same partition, each for itself") {
  WITH_EVERY_BUS;
  const auto events = make_events(30);
  under_test->publish(0, events);
  const auto saga = bus.subscribe("saga");
  const auto projection = bus.subscribe("projection");
  saga->start(0, before_first);
  projection->start(0, before_first);
  CHECK(ids(read_count(*saga, events.size())) == ids(events));
  CHECK(ids(read_count(*projection, events.size())) == ids(events));
}

TEST_CASE("A stopped partition delivers nothing more, others go on, and it resumes where it is told to") {
  WITH_EVERY_BUS;
  const auto stopped = make_events(200);
  under_test->publish(0, stopped);
  const auto reader = bus.subscribe("saga");
  reader->start(0, before_first);
  std::vector<Record> before;
  REQUIRE(eventually([&] {  // a few of many: the rest is on its way already
    before = reader->poll(5, poll_step);
    return !before.empty();
  }));
  reader->stop(0);
  const auto others = make_events(20);
  under_test->publish(1, others);
  reader->start(1, before_first);
  CHECK(ids(read_count(*reader, others.size())) == ids(others));
  under_test->publish(0, make_events(1));
  CHECK(reader->poll(100, poll_step).empty());

  reader->start(0, before.back().position);
  const auto rest = read_count(*reader, stopped.size() + 1 - before.size());
  CHECK(rest.front().event.order_id == stopped[before.size()].order_id);
  CHECK(rest.size() == stopped.size() + 1 - before.size());
}

TEST_CASE("Starting a partition again replaces the earlier start, backwards as well") {
  WITH_EVERY_BUS;
  const auto events = make_events(100);
  under_test->publish(0, events);
  const auto reader = bus.subscribe("saga");
  for (int again = 0; again < 5; ++again) {
    reader->start(0, before_first);
    std::vector<Record> some;
    REQUIRE(eventually([&] {
      for (auto& record : reader->poll(10, poll_step)) some.push_back(std::move(record));
      return some.size() >= 30;
    }));
    CHECK(some.front().event.order_id == events.front().order_id);
    reader->start(0, some[9].position);
    const auto rest = read_count(*reader, events.size() - 10);
    CHECK(ids(rest) == ids(std::vector<Event>(events.begin() + 10, events.end())));
  }
}

TEST_CASE("A start at the end delivers only what is published from then on") {
  WITH_EVERY_BUS;
  for (std::int32_t partition = 0; partition < partitions; ++partition)
    under_test->publish(partition, make_events(10));
  const auto live = bus.subscribe("");
  for (std::int32_t partition = 0; partition < partitions; ++partition) live->start_at_end(partition);
  CHECK(live->poll(100, poll_step).empty());
  std::set<Uuid> published;
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    const auto events = make_events(5);
    for (const auto& event : events) published.insert(event.order_id);
    under_test->publish(partition, events);
  }
  const auto read = ids(read_count(*live, published.size()));
  CHECK(std::set<Uuid>(read.begin(), read.end()) == published);
}

TEST_CASE("A poll that waits returns as soon as something is published") {
  WITH_EVERY_BUS;
  const auto reader = bus.subscribe("saga");
  reader->start(0, before_first);
  CHECK(reader->poll(10, poll_step).empty());
  auto waiting = std::async(std::launch::async, [&] { return reader->poll(10, forever); });
  under_test->publish(0, make_events(1));
  const bool returned = waiting.wait_for(patience) == std::future_status::ready;
  CHECK(returned);
  if (!returned) reader->wake();
  CHECK(waiting.get().size() == 1);
}

TEST_CASE("A reader knows how much is still to come from its partitions") {
  WITH_EVERY_BUS;
  under_test->publish(1, make_lines(3, 4));
  under_test->publish(2, make_lines(1, 4));
  const auto reader = bus.subscribe("saga");
  reader->start(1, before_first);
  const auto first = read_count(*reader, 5);
  CHECK(reader->lag() == static_cast<std::int64_t>(12 - first.size()));
  const auto all = read_count(*reader, 12 - first.size());
  CHECK(reader->lag() == 0);
  reader->start(1, (all.empty() ? first : all).back().position);
  CHECK(reader->lag() == 0);
  reader->stop(1);
  CHECK(reader->lag() == 0);
}

TEST_CASE("A wake ends the poll that waits, and one that begins later") {
  WITH_EVERY_BUS;
  const auto reader = bus.subscribe("saga");
  reader->start(0, before_first);
  CHECK(reader->poll(10, poll_step).empty());
  for (int round = 0; round < 20; ++round) {
    auto waiting = std::async(std::launch::async, [&] { return reader->poll(10, forever); });
    reader->wake();  // before it waits, or while it does
    REQUIRE(waiting.wait_for(patience) == std::future_status::ready);
    CHECK(waiting.get().empty());
  }
}

TEST_CASE("A reader without partitions waits and gets nothing") {
  WITH_EVERY_BUS;
  under_test->publish(0, make_events(3));
  const auto reader = bus.subscribe("saga");
  CHECK(reader->poll(10, poll_step).empty());
}
