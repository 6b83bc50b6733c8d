// A broker of the test's own is killed and comes back.
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <sstream>

#include "conformance/support/buses.h"
#include "conformance/support/events.h"

using namespace orderd;
using namespace orderd::bus;
using namespace orderd::bus::test;

namespace {

/// Kafka in a folder of its own, through tests/env/kafka.sh.
class OwnKafka {
 public:
  OwnKafka() : folder_(required_env("ORDERD_TEST_DIR") + "/" + unique_name("kafka-")) { start(); }
  ~OwnKafka() { std::system((script_ + " kill " + folder_ + " >/dev/null").c_str()); }
  OwnKafka(const OwnKafka&) = delete;
  OwnKafka& operator=(const OwnKafka&) = delete;
  void start() {
    std::FILE* output = popen((script_ + " start " + folder_).c_str(), "r");
    REQUIRE(output != nullptr);
    std::array<char, 512> line{};
    std::string text;
    while (std::fgets(line.data(), line.size(), output) != nullptr) text += line.data();
    INFO(text);
    REQUIRE(pclose(output) == 0);
    std::istringstream(text) >> address_;
  }
  void kill() { REQUIRE(std::system((script_ + " kill " + folder_).c_str()) == 0); }
  KafkaOptions options() const { return {{{"bootstrap.servers", address_}}, partitions}; }

 private:
  const std::string script_ = required_env("ORDERD_TEST_KAFKA_SH");
  const std::string folder_;
  std::string address_;
};

}  // namespace

TEST_CASE(
    "A killed broker that comes back costs no event and no order, and readers and publisher go on by "
    "themselves") {
  OwnKafka kafka;
  KafkaBus bus(kafka.options());
  const auto publisher = bus.make_publisher();
  const auto events = make_lines(200, 6);
  MiniRelay relay(*publisher, outgoing(0, events));
  const auto reader = bus.subscribe("saga");
  reader->start(0, before_first);
  std::vector<Record> records;
  const auto read = [&] {
    for (auto& record : reader->poll(100, poll_step)) records.push_back(std::move(record));
  };
  REQUIRE(eventually([&] {
    relay.step();
    read();
    return !records.empty();
  }));
  kafka.kill();
  const auto live = bus.subscribe("");  // asks for the end while there is nobody to ask
  live->start_at_end(1);
  CHECK(live->poll(10, poll_step).empty());
  relay.step();
  read();
  kafka.start();
  relay.run();
  const auto since = make_lines(5, 1);
  MiniRelay(*publisher, outgoing(1, since)).run();
  CHECK(ids(read_count(*live, since.size())) == ids(since));
  std::map<Uuid, std::int32_t> last;
  REQUIRE(eventually([&] {
    read();
    for (const auto& record : records)
      last[record.event.order_id] = std::max(last[record.event.order_id], record.event.version);
    return last.size() == 200 &&
           std::all_of(last.begin(), last.end(), [](const auto& one) { return one.second == 6; });
  }));
  CHECK(out_of_order(records) == "");
}
