#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <thread>

#include "base/metrics.h"
#include "functional/support/api_host.h"
#include "outbox/log.h"

using namespace orderd;
using namespace orderd::test;

namespace {

void authorize(ApiHost& host, const std::string& id) {
  host.advance(id, EventType::payment_authorized, Status::payment_authorized, PaymentStatus::authorized);
}
void reject(ApiHost& host, const std::string& id) {
  host.advance(id, EventType::order_rejected, Status::rejected, PaymentStatus::failed);
}
using Ids = std::vector<int>;

/// A bus whose reader hangs until the test lets it go on, and never has a record.
struct HangingBus final : bus::EventBus {
  struct Reader final : bus::Subscription {
    explicit Reader(HangingBus& owner) : bus(owner) {}
    void start(std::int32_t, bus::Position) override {}
    void start_at_end(std::int32_t) override {}
    void stop(std::int32_t) override {}
    std::vector<bus::Record> poll(std::size_t, std::chrono::milliseconds) override {
      ++bus.polls;
      do std::this_thread::sleep_for(std::chrono::milliseconds(5));
      while (!bus.answer);
      return {};
    }
    void wake() override {}
    void saved(std::int32_t, bus::Position) override {}
    HangingBus& bus;
  };
  std::unique_ptr<bus::Subscription> subscribe(const std::string&) override {
    return std::make_unique<Reader>(*this);
  }
  const char* name() const override { return "hanging"; }
  std::atomic<int> polls{0};
  std::atomic<bool> answer{false};
};

}  // namespace

TEST_CASE("A stream begins with the present state, brings every change, and ends with the order") {
  ApiHost host;
  const std::string id = host.place();
  authorize(host, id);
  StreamClient stream(host, id);
  CHECK(stream.ids(1) == Ids{2});
  CHECK(stream.received.find("HTTP/1.1 200") == 0);
  CHECK(stream.received.find("Content-Type: text/event-stream") != std::string::npos);
  CHECK(stream.received.find("Cache-Control: no-cache") != std::string::npos);
  CHECK(stream.received.find("X-Accel-Buffering: no") != std::string::npos);
  CHECK(stream.received.find("\r\n\r\nretry: 2000\n\nid: 2\nevent: status\ndata: {\"orderId\":\"" + id +
                             "\"") != std::string::npos);
  host.advance(id, EventType::payment_updated, Status::payment_authorized, PaymentStatus::unknown);
  CHECK(stream.ids(1) == Ids{3});
  reject(host, id);
  CHECK(stream.ids(1) == Ids{4});
  CHECK(stream.ends());
}

TEST_CASE("A stream resumes behind Last-Event-ID, and 204 says that nothing can come any more") {
  ApiHost host;
  const std::string id = host.place();
  authorize(host, id);
  reject(host, id);
  StreamClient all(host, id, {{"Last-Event-ID", "0"}});
  CHECK(all.ids(3) == Ids{1, 2, 3});
  CHECK(all.ends());
  StreamClient rest(host, id, {{"Last-Event-ID", "1"}});
  CHECK(rest.ids(2) == Ids{2, 3});
  const std::string path = "/api/orders/" + id + "/stream";
  CHECK(host.get(path, {{"Last-Event-ID", "3"}}).status == 204);
  CHECK(host.get(path, {{"Last-Event-ID", "99"}}).status == 204);
  for (const char* bad : {"x", "-1", "1.5", "99999999999"}) {
    const Answer answer = host.get(path, {{"Last-Event-ID", bad}});
    CHECK(answer.status == 400);
    CHECK(code_of(answer) == "INVALID_HEADER");
  }
}

TEST_CASE("One client gets its share of the streams, also on the loopback, until it closes one") {
  ApiHost::Options options;
  options.streams.streams_per_client_max = 2;
  ApiHost host(options);
  const std::string id = host.place(), path = "/api/orders/" + id + "/stream";
  StreamClient first(host, id);
  CHECK(first.ids(1) == Ids{1});
  {
    StreamClient second(host, id);
    CHECK(second.ids(1) == Ids{1});
    const Answer refused = host.get(path);
    CHECK(refused.status == 429);
    CHECK(code_of(refused) == "TOO_MANY_STREAMS");
    CHECK_FALSE(refused.field("retry-after").empty());
  }
  REQUIRE(eventually([&] { return metrics().gauge("orderd_sse_streams", "").Value() == 1; }));
  StreamClient third(host, id);
  CHECK(third.ids(1) == Ids{1});
}

TEST_CASE("Clients have shares of their own") {
  ApiHost::Options options;
  options.streams.streams_per_client_max = 1;
  ApiHost host(options);
  const Uuid id = *Uuid::parse(host.place());
  using sse::Broadcaster;
  const auto one = host.streams->watch(id, "key a"), other = host.streams->watch(id, "key b");
  CHECK(std::holds_alternative<Broadcaster::Watch>(one));
  CHECK(std::holds_alternative<Broadcaster::Watch>(other));
  const auto refused = host.streams->watch(id, "key a");
  CHECK(std::get<Broadcaster::Refused>(refused) == Broadcaster::Refused::client_has_its_share);
}

namespace {

/// What a client got. [any thread]
class Received {
 public:
  void add(const std::string& bytes) {
    std::lock_guard lock(mutex_);
    text_ += bytes;
  }
  std::string text() const {
    std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;  // guarded by mutex_
};

class Recorder final : public sse::Client {
 public:
  explicit Recorder(std::shared_ptr<Received> received) : received_(std::move(received)) {}
  void send(Bytes bytes) override { received_->add(*bytes); }
  void end() override {}
  State state() const override { return State::open; }

 private:
  const std::shared_ptr<Received> received_;
};

}  // namespace

TEST_CASE("A stream begins while the bus does not answer, and later has what came meanwhile") {
  HangingBus bus;
  ApiHost host;
  sse::Broadcaster streams(bus, *host.pool);
  const std::shared_ptr<void> go_on(nullptr, [&](void*) { bus.answer = true; });  // or the end would wait
  const std::string id = host.place();
  auto watch = std::get<sse::Broadcaster::Watch>(streams.watch(*Uuid::parse(id), "x"));
  REQUIRE(eventually([&] { return bus.polls > 0; }));
  const auto received = std::make_shared<Received>();
  sse::Beginning beginning;
  beginning.version = 1;
  beginning.bytes = "begun\n";
  streams.open(std::move(watch), {std::make_unique<Recorder>(received), beginning, {}});
  const auto has = [&](const std::string& wanted) {
    return eventually([&] { return received->text().find(wanted) != std::string::npos; });
  };
  CHECK(has("begun"));
  authorize(host, id);
  CHECK(received->text().find("id: 2") == std::string::npos);
  bus.answer = true;
  CHECK(has("id: 2\n"));
}

TEST_CASE("A version that the bus lost is brought from history, in order") {
  ApiHost host;
  const std::string id = host.place();
  StreamClient stream(host, id);
  CHECK(stream.ids(1) == Ids{1});
  // Written past the log's end that the tail follows: a position that it has passed already.
  const std::string copy =
      "insert into order_events select order_id, 2, type, at, "
      "convert_to(replace(convert_from(payload, 'UTF8'), '\"version\":1', '\"version\":2'), 'UTF8'), "
      "traceparent, shard, -5 from order_events where order_id = '" +
      id + "' and version = 1";
  host.database.script(copy + "; update order_state set version = 2 where id = '" + id + "'");
  authorize(host, id);
  CHECK(stream.ids(2) == Ids{2, 3});
}

TEST_CASE("What the bus lost last is found by comparing with the database") {
  ApiHost::Options options;
  options.streams.compare_interval_ms = 50;
  ApiHost host(options);
  const std::string id = host.place();
  StreamClient stream(host, id);
  CHECK(stream.ids(1) == Ids{1});
  host.database.script(
      "insert into order_events select order_id, 2, type, at, payload, traceparent, shard, -5 from "
      "order_events "
      "where order_id = '" +
      id + "'; update order_state set version = 2 where id = '" + id + "'");
  CHECK(stream.ids(1) == Ids{2});
}

TEST_CASE("Many streams of one order all get every version once") {
  ApiHost host;
  const std::string id = host.place();
  std::vector<std::unique_ptr<StreamClient>> streams;
  for (int i = 0; i < 50; ++i) streams.push_back(std::make_unique<StreamClient>(host, id));
  // No waiting in between: some streams begin before, some after the change.
  authorize(host, id);
  reject(host, id);
  for (auto& stream : streams) {
    CHECK(stream->ends());
    int last = 0;
    for (std::size_t at = 0; (at = stream->received.find("\nid: ", at)) != std::string::npos; ++at) {
      const int version = std::stoi(stream->received.substr(at + 5));
      CHECK((last == 0 || version == last + 1));
      last = version;
    }
    CHECK(last == 3);
  }
  CHECK(eventually([] { return metrics().gauge("orderd_sse_streams", "").Value() == 0; }));
}

TEST_CASE("A reader that takes nothing is disconnected, and resumes by id") {
  ApiHost::Options options;
  options.streams.stream_bytes_max = 4 * 1024;
  options.streams.send_buffer_bytes = 4 * 1024;
  ApiHost host(options);
  const std::string id = host.place();
  StreamClient healthy(host, id);
  StreamClient slow(host, id, {}, 2048);
  CHECK(healthy.ids(1) == Ids{1});
  auto& slow_total = metrics().counter("orderd_sse_slow_total", "");
  const auto before = slow_total.Value();
  int version = 1;
  while (slow_total.Value() == before && version < 2000) {
    version = host.advance(id, EventType::payment_updated, Status::pending, PaymentStatus::pending);
    CHECK(healthy.ids(1) == Ids{version});
  }
  CHECK(slow_total.Value() > before);
  CHECK(slow.ends());
  const auto last_at = slow.received.rfind("\nid: ");
  const int last = std::stoi(slow.received.substr(last_at + 5));
  CHECK(last < version);
  StreamClient resumed(host, id, {{"Last-Event-ID", std::to_string(last)}});
  CHECK(resumed.ids(1) == Ids{last + 1});
}

TEST_CASE("A quiet stream gets comment lines, and going down ends it") {
  ApiHost::Options options;
  options.streams.heartbeat_ms = 50;
  ApiHost host(options);
  const std::string id = host.place();
  StreamClient stream(host, id);
  CHECK(stream.ids(1) == Ids{1});
  CHECK(stream.gets("\n\n:\n\n"));
  host.streams->close_all();
  CHECK(stream.ends());
  const Answer refused = host.get("/api/orders/" + id + "/stream");
  CHECK(refused.status == 503);
  CHECK_FALSE(refused.field("retry-after").empty());
}

TEST_CASE("Who may not or cannot have a stream is told so in plain HTTP") {
  ApiHost host;
  const std::string id = host.place();
  const std::string path = "/api/orders/" + id + "/stream";
  CHECK(host.get("/api/orders/01920000-0000-7000-8000-000000000000/stream").status == 404);
  CHECK(host.get(path, {{"Accept", "application/json"}}).status == 406);
  const Answer head = host.ask("HEAD", path);
  CHECK(head.status == 200);
  CHECK(head.field("content-type") == "text/event-stream");
  CHECK(host.ask("POST", path).status == 405);
}
