// A bus that loses records, and one that holds records of another log.
#include "bus/log_backed/log_backed_bus.h"

#include "outbox/marks.h"
#include "stages/support.h"

using namespace orderd;
using namespace orderd::test;

namespace {

constexpr std::int32_t shard = 3;

/// One partition of a topic, from which records go away; a position that is not there falls to the earliest.
class Topic final : public bus::EventBus {
 public:
  class Reader final : public bus::Subscription {
   public:
    explicit Reader(Topic& topic) : topic_(topic) {}
    void start(std::int32_t, bus::Position after) override { next_ = after + 1; }
    void start_at_end(std::int32_t) override { next_ = topic_.end(); }
    void stop(std::int32_t) override { next_.reset(); }
    std::vector<bus::Record> poll(std::size_t max, std::chrono::milliseconds) override {
      std::vector<bus::Record> out;
      if (!next_) return out;
      if (*next_ < topic_.begin || *next_ > topic_.end()) next_ = topic_.begin;
      for (; *next_ < topic_.end() && out.size() < max; ++*next_) {
        out.push_back(topic_.records[static_cast<std::size_t>(*next_ - topic_.begin)]);
        out.back().position = *next_;
      }
      return out;
    }
    void wake() override {}
    void saved(std::int32_t, bus::Position) override {}

   private:
    Topic& topic_;
    std::optional<std::int64_t> next_;
  };
  std::unique_ptr<bus::Subscription> subscribe(const std::string&) override {
    return std::make_unique<Reader>(*this);
  }
  const char* name() const override { return "topic"; }
  std::int64_t end() const { return begin + static_cast<std::int64_t>(records.size()); }
  void lose_all() {
    begin = end();
    records.clear();
  }

  std::int64_t begin = 0;
  std::vector<bus::Record> records;
};

struct World {
  World() : epoch(outbox::epoch(database.session()).id) {}

  /// Events in the log, and in the topic as the relay publishes them.
  std::vector<Event> publish(std::size_t count, bool with_headers = true) {
    const auto events = append(count);
    for (std::size_t i = 0; i < count; ++i)
      put(events[i], with_headers ? first_pos + static_cast<std::int64_t>(i) : 0);
    database.script("insert into positions (consumer, shard, pos, epoch) values ('relay', 3, " +
                    std::to_string(first_pos + static_cast<std::int64_t>(count) - 1) +
                    ", 1) on conflict (consumer, shard) do update set pos = excluded.pos");
    return events;
  }
  std::vector<Event> append(std::size_t count) {
    first_pos = database.number("select last from log_shard where shard = 3") + 1;
    return append_events(database, shard, count);
  }
  void put(const Event& event, std::int64_t pos) {
    bus::Record record{shard, 0, event, ""};
    record.log_pos = pos;
    if (pos > 0) record.log_epoch = epoch;
    topic.records.push_back(record);
  }
  std::unique_ptr<bus::Subscription> subscribe() {
    return bus::LogBackedBus(topic, {database.options(), "relay", std::chrono::milliseconds(5)})
        .subscribe("saga");
  }
  /// Reads on until `count` records came, and saves each batch as a consumer does.
  std::vector<bus::Record> take(bus::Subscription& reader, std::size_t count) {
    std::vector<bus::Record> all;
    const bool came = eventually([&] {
      for (auto& record : reader.poll(2, no_wait)) {
        saved = record.position;
        all.push_back(std::move(record));
      }
      if (!all.empty()) reader.saved(shard, saved);
      return all.size() >= count;
    });
    CHECK(came);
    return all;
  }
  std::int64_t mark() {
    return database.number("select coalesce(max(pos), 0) from log_marks where consumer = 'saga'");
  }

  TestDatabase database;
  const Uuid epoch;
  Topic topic;
  bus::Position saved = bus::before_first;
  std::int64_t first_pos = 0;
};

std::vector<Uuid> ids(const std::vector<Event>& events) {
  std::vector<Uuid> out;
  for (const Event& event : events) out.push_back(event.order_id);
  return out;
}
std::vector<Uuid> ids(const std::vector<bus::Record>& records) {
  std::vector<Uuid> out;
  for (const auto& record : records) out.push_back(record.event.order_id);
  return out;
}

}  // namespace

TEST_CASE("What a topic lost before anybody read it comes from the log, and reading goes on in the topic",
          "[log]") {
  World world;
  const auto lost = world.publish(5);
  world.topic.lose_all();
  const auto reader = world.subscribe();
  reader->start(shard, bus::before_first);
  CHECK(ids(world.take(*reader, 5)) == ids(lost));
  const auto next = world.publish(3);
  const auto records = world.take(*reader, 3);
  CHECK(ids(records) == ids(next));
  CHECK(records.back().position == 7);
}

TEST_CASE("What is missing in the middle of a topic comes from the log, before what stands behind it",
          "[log]") {
  World world;
  auto events = world.publish(4);
  world.topic.records.erase(world.topic.records.begin() + 1, world.topic.records.begin() + 3);
  const auto reader = world.subscribe();
  reader->start(shard, bus::before_first);
  CHECK(ids(world.take(*reader, 4)) == ids(events));
}

TEST_CASE("A reader that stopped in the log goes on there, and at the topic's end", "[log]") {
  World world;
  const auto first = world.publish(4);
  world.topic.lose_all();
  auto reader = world.subscribe();
  reader->start(shard, bus::before_first);
  world.take(*reader, 4);
  CHECK(bus::is_in_log(world.saved));
  const auto away = world.publish(3);  // while nobody reads
  reader = world.subscribe();
  reader->start(shard, world.saved);
  CHECK(ids(world.take(*reader, 3)) == ids(away));
  const auto next = world.publish(1);
  CHECK(ids(world.take(*reader, 1)) == ids(next));
}

TEST_CASE("A topic that was made anew under a saved position costs nothing", "[log]") {
  World world;
  world.publish(6);
  auto reader = world.subscribe();
  reader->start(shard, bus::before_first);
  world.take(*reader, 6);
  REQUIRE(eventually([&] { return reader->poll(1, no_wait).empty() && world.mark() == 6; }));
  world.topic = Topic();
  const auto lost = world.publish(3);
  world.topic.records.clear();
  const auto there = world.publish(8);  // beyond the old position: no reset says anything
  reader = world.subscribe();
  reader->start(shard, world.saved);
  auto wanted = ids(lost), of_topic = ids(there);
  wanted.insert(wanted.end(), of_topic.begin(), of_topic.end());
  CHECK(ids(world.take(*reader, wanted.size())) == wanted);
}

TEST_CASE("Records of an older relay, which do not say their place, are found in the log", "[log]") {
  World world;
  const auto events = world.publish(3, false);
  const auto reader = world.subscribe();
  reader->start(shard, bus::before_first);
  CHECK(ids(world.take(*reader, 3)) == ids(events));
  CHECK(eventually([&] { return reader->poll(1, no_wait).empty() && world.mark() == 3; }));
}

TEST_CASE("Events of a future that the log does not know are not delivered", "[log]") {
  World world;
  const auto before = world.publish(2);
  for (std::int64_t pos = 3; pos < 6; ++pos) world.put(some_event(), pos);  // of before the restore
  SECTION("while the log is shorter than they say") {}
  SECTION("when the log has grown over them, in another epoch") {
    world.database.script("update log_epoch set id = gen_random_uuid()");
    world.append(5);
  }
  SECTION("from a relay that does not say where they are") {
    for (auto& record : world.topic.records) record.log_pos = 0;
  }
  auto wanted = ids(before);
  if (world.database.number("select last from log_shard where shard = 3") == 7) {
    static constexpr store::Statement read{"test_log",
                                           "select order_id from order_events where pos > 2 order by pos"};
    const auto rows = world.database.session().run(read);
    for (int i = 0; i < rows.size(); ++i) wanted.push_back(rows.uuid(i, 0));
    world.database.script("update positions set pos = 7 where consumer = 'relay'");
  }
  const auto reader = world.subscribe();
  reader->start(shard, bus::before_first);
  CHECK(ids(world.take(*reader, wanted.size())) == wanted);
  CHECK(reader->poll(10, no_wait).empty());
}

TEST_CASE("A tail of the bus shows nothing of a future that the log does not know", "[log]") {
  World world;
  const auto reader =
      bus::LogBackedBus(world.topic, {world.database.options(), "relay", std::chrono::milliseconds(5)})
          .subscribe("");
  reader->start_at_end(shard);
  world.put(some_event(), 5);
  const auto real = world.publish(1);
  CHECK(ids(world.take(*reader, 1)) == ids(real));
}
