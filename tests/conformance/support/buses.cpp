#include "conformance/support/buses.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "bus/pglog/pglog_bus.h"
#include "conformance/support/events.h"
#include "outbox/log.h"
#include "store/migrations.h"

namespace orderd::bus::test {
namespace {

class KafkaUnderTest final : public BusUnderTest {
 public:
  explicit KafkaUnderTest(std::map<std::string, std::string> properties)
      : bus_(KafkaOptions{std::move(properties), partitions}), publisher_(bus_.make_publisher()) {}
  EventBus& bus() override { return bus_; }
  void publish(std::int32_t partition, const std::vector<Event>& events) override {
    MiniRelay(*publisher_, outgoing(partition, events)).run();
  }

 private:
  KafkaBus bus_;
  std::unique_ptr<Publisher> publisher_;
};

/// The same server, another database.
std::string with_database(std::string url, const std::string& database) {
  const auto query = url.find('?');
  const auto slash = url.rfind('/', query);
  const auto end = query == std::string::npos ? url.size() : query;
  return url.replace(slash + 1, end - slash - 1, database);
}

class PglogUnderTest final : public BusUnderTest {
 public:
  PglogUnderTest() : admin_({required_env("ORDERD_TEST_PG")}), name_(unique_name("conformance_")) {
    std::replace(name_.begin(), name_.end(), '-', '_');
    admin_.script("create database " + name_);
    const store::ConnectionOptions options{with_database(required_env("ORDERD_TEST_PG"), name_)};
    writer_ = std::make_unique<store::Connection>(options);
    store::migrate(*writer_, "orderd", store::host_migrations());
    bus_ = std::make_unique<PglogBus>(options);
  }
  ~PglogUnderTest() override {
    writer_.reset();
    admin_.script("drop database " + name_ + " with (force)");
  }
  EventBus& bus() override { return *bus_; }
  void publish(std::int32_t partition, const std::vector<Event>& events) override {
    store::UnitOfWork work(*writer_);
    outbox::append(work, {{static_cast<std::int16_t>(partition), events}});
    work.commit();
    outbox::appended().raise();
  }

 private:
  store::Connection admin_;
  std::string name_;
  std::unique_ptr<store::Connection> writer_;
  std::unique_ptr<PglogBus> bus_;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

const std::vector<Kind>& all_kinds() {
  static const std::vector<Kind> kinds{
      {"kafka",
       []() -> std::unique_ptr<BusUnderTest> { return std::make_unique<KafkaUnderTest>(plain_kafka()); }},
      {"kafka over mTLS",
       []() -> std::unique_ptr<BusUnderTest> { return std::make_unique<KafkaUnderTest>(tls_kafka()); }},
      {"pglog", []() -> std::unique_ptr<BusUnderTest> { return std::make_unique<PglogUnderTest>(); }}};
  return kinds;
}

std::string required_env(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0')
    FAIL("the environment variable "
         << name << " is not set: run this suite through ./x test, which starts the servers");
  return value;
}

std::string unique_name(const std::string& prefix) { return prefix + Uuid::v7().to_string(); }

std::map<std::string, std::string> plain_kafka() {
  return {{"bootstrap.servers", required_env("ORDERD_TEST_KAFKA")}, {"topic", unique_name("conformance-")}};
}

std::map<std::string, std::string> tls_kafka() {
  const std::string certs = required_env("ORDERD_TEST_CERTS");
  return {{"bootstrap.servers", required_env("ORDERD_TEST_KAFKA_TLS")},
          {"topic", unique_name("conformance-")},
          {"security.protocol", "ssl"},
          {"ssl.ca.location", certs + "/ca.crt"},
          {"ssl.certificate.location", certs + "/client.crt"},
          {"ssl.key.location", certs + "/client.key"}};
}

MiniRelay::MiniRelay(Publisher& publisher, std::vector<Outgoing> outbox)
    : publisher_(publisher), outbox_(std::move(outbox)) {}

bool MiniRelay::settled() const {
  return std::all_of(outbox_.begin(), outbox_.end(), [&](const Outgoing& one) {
    const auto saved = saved_.find(one.partition);
    return saved != saved_.end() && saved->second >= one.outbox_position;
  });
}

bool MiniRelay::step() {
  const auto is_saved = [&](const Outgoing& one) {
    const auto saved = saved_.find(one.partition);
    return saved != saved_.end() && saved->second >= one.outbox_position;
  };
  std::vector<Outgoing> rest;
  std::vector<std::size_t> places;
  for (std::size_t i = next_; i < outbox_.size(); ++i)
    if (!is_saved(outbox_[i])) {
      rest.push_back(outbox_[i]);
      places.push_back(i);
    }
  const std::size_t taken = publisher_.publish(rest);
  next_ = taken == rest.size() ? outbox_.size() : places[taken];
  std::size_t in_flight = 0;
  for (std::size_t i = 0; i < next_; ++i) in_flight += is_saved(outbox_[i]) ? 0 : 1;
  in_flight_max_ = std::max(in_flight_max_, in_flight);
  const auto progress = publisher_.poll(poll_step);
  for (const auto& [partition, position] : progress.acknowledged)
    saved_[partition] = std::max(saved_[partition], position);
  refused_.insert(refused_.end(), progress.refused.begin(), progress.refused.end());
  if (progress.restart) {
    ++restarts_;
    next_ = 0;
  }
  return !settled();
}

void MiniRelay::run() {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (step())
    if (std::chrono::steady_clock::now() > end)
      FAIL("not everything was acknowledged within " << patience.count() << " s");
}

std::vector<Outgoing> outgoing(std::int32_t partition, const std::vector<Event>& events) {
  std::vector<Outgoing> out;
  for (const auto& event : events)
    out.push_back({partition, static_cast<std::int64_t>(out.size()) + 1, event});
  return out;
}

}  // namespace orderd::bus::test
