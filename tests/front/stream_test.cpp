#include <Poco/Net/HTTPServerResponse.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <deque>
#include <future>
#include <optional>

#include "front/raw_client.h"
#include "front/test_server.h"

using namespace orderd::http::front;
using namespace orderd::http::front::test;
using Poco::Net::HTTPServerResponse;
using State = StreamedAnswer::State;

namespace {

StreamedAnswer::Bytes bytes(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

/// Streams that handlers have begun, with a greeting. [workers, and the test]
class Streams {
 public:
  explicit Streams(StreamLimits limits = {}) : limits_(limits) {}
  TestServer::Handle handler() {
    return [this](Request& request, HTTPServerResponse& response) {
      response.setContentType("text/event-stream");
      StreamedAnswer stream = request.stream_answer(limits_);
      stream.append(bytes("greeting\n"));
      std::lock_guard lock(mutex_);
      streams_.push_back(std::move(stream));
    };
  }
  StreamedAnswer& at(std::size_t i) {
    REQUIRE(eventually([&] {
      std::lock_guard lock(mutex_);
      return streams_.size() > i;
    }));
    std::lock_guard lock(mutex_);
    return streams_[i];
  }
  void drop_all() {
    std::lock_guard lock(mutex_);
    streams_.clear();
  }

 private:
  const StreamLimits limits_;
  std::mutex mutex_;
  std::deque<StreamedAnswer> streams_;  // guarded by mutex_
};

/// All that arrives up to and with `end`.
std::string up_to(RawClient& client, const std::string& end) {
  std::string all;
  while (!all.ends_with(end)) {
    const auto some = client.some(30'000);
    REQUIRE(some);
    all += *some;
  }
  return all;
}

}  // namespace

TEST_CASE("A stream's head has no length and closes, and what is appended follows in order", "[stream]") {
  Streams streams;
  TestServer server(TestServer::quick_options(), {{"/stream", streams.handler()}});
  RawClient client(server.port());
  client.send(get("/stream"));
  const std::string begun = up_to(client, "greeting\n");
  CHECK(begun.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(begun.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(begun.find("Connection: close\r\n") != std::string::npos);
  CHECK(begun.find("Content-Length") == std::string::npos);
  StreamedAnswer& stream = streams.at(0);
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    stream.append(bytes(std::to_string(i) + "\n"));
    expected += std::to_string(i) + "\n";
  }
  CHECK(up_to(client, "\n999\n") == expected);
  stream.end();
  stream.append(bytes("behind the end"));
  CHECK(client.rest().empty());
  CHECK(stream.state() == State::ended);
}

TEST_CASE("What was appended before the end is sent, and dropping the handle ends the stream", "[stream]") {
  Streams streams;
  TestServer server(TestServer::quick_options(), {{"/stream", streams.handler()}});
  RawClient client(server.port());
  client.send(get("/stream"));
  streams.at(0).append(bytes("last"));
  streams.drop_all();
  CHECK(client.rest().ends_with("greeting\nlast"));
}

TEST_CASE("Streams count neither as connections nor against the caps, and need no worker", "[stream]") {
  Streams streams;
  Options options = TestServer::quick_options();
  options.workers = 1;
  options.connections_max = 2;
  TestServer server(options, {{"/stream", streams.handler()}});
  std::vector<RawClient> clients;
  for (int i = 0; i < 50; ++i) {
    clients.emplace_back(server.port());
    clients.back().send((i % 2 ? get_hello : "") + get("/stream"));
    if (i % 2) CHECK(clients.back().answer().body == hello);
    (void)up_to(clients.back(), "greeting\n");
  }
  CHECK(eventually([&] { return server.metric("connections") == 0; }));
  // What clients say on a stream is dropped.
  for (RawClient& client : clients) client.send(get_hello);
  CHECK(RawClient(server.port()).ask(get_hello).body == hello);
  const auto shared = bytes("to all\n");
  for (std::size_t i = 0; i < clients.size(); ++i) streams.at(i).append(shared);
  for (RawClient& client : clients) CHECK(up_to(client, "\n") == "to all\n");
  streams.drop_all();
  for (RawClient& client : clients) CHECK(client.closed_by_server());
}

TEST_CASE("A client that goes is noticed, and what is appended then is harmless", "[stream]") {
  Streams streams;
  TestServer server(TestServer::quick_options(), {{"/stream", streams.handler()}});
  {
    RawClient client(server.port());
    client.send(get("/stream"));
    (void)up_to(client, "greeting\n");
  }
  StreamedAnswer& stream = streams.at(0);
  CHECK(eventually([&] { return stream.state() == State::gone; }));
  stream.append(bytes("to nobody"));
  stream.end();
  CHECK(stream.state() == State::gone);
  CHECK(RawClient(server.port()).ask(get_hello).body == hello);
}

TEST_CASE("A client that does not read ends its own stream at the limit, and no other", "[stream]") {
  Streams streams({.unsent_bytes_max = 64 * 1024, .stall_timeout_ms = 30'000, .send_buffer_bytes = 4096});
  TestServer server(TestServer::quick_options(), {{"/stream", streams.handler()}});
  RawClient slow(server.port()), quick(server.port());
  slow.send(get("/stream"));
  StreamedAnswer& first = streams.at(0);
  quick.send(get("/stream"));
  StreamedAnswer& second = streams.at(1);
  const auto chunk = bytes(std::string(16 * 1024 - 1, 'x') + "\n");
  for (int i = 0; i < 10'000 && first.state() == State::open; ++i) {
    first.append(chunk);
    second.append(chunk);
    (void)up_to(quick, "x\n");
  }
  CHECK(first.state() == State::slow);
  CHECK(second.state() == State::open);
}

TEST_CASE("A client that takes nothing of what waits for too long ends its stream", "[stream]") {
  Streams streams({.unsent_bytes_max = 64 << 20, .stall_timeout_ms = 50, .send_buffer_bytes = 4096});
  TestServer server(TestServer::quick_options(), {{"/stream", streams.handler()}});
  RawClient client(server.port());
  client.send(get("/stream"));
  StreamedAnswer& stream = streams.at(0);
  stream.append(bytes(std::string(32 << 20, 'x')));
  CHECK(eventually([&] { return stream.state() == State::slow; }));
}

TEST_CASE("A drain ends the streams that nobody ended", "[stream]") {
  Streams streams;
  TestServer server(TestServer::quick_options(), {{"/stream", streams.handler()}});
  std::optional<RawClient> client(server.port());
  client->send(get("/stream"));
  (void)up_to(*client, "greeting\n");
  auto drained =
      std::async(std::launch::async, [&] { return server.front->drain(std::chrono::seconds(30)); });
  CHECK(client->rest().empty());
  client.reset();
  CHECK(drained.get());
  CHECK(streams.at(0).state() != State::open);
}

TEST_CASE("Streams may be appended to and ended after the front has gone", "[stream]") {
  Streams streams;
  {
    TestServer server(TestServer::quick_options(), {{"/stream", streams.handler()}});
    RawClient client(server.port());
    client.send(get("/stream"));
    (void)up_to(client, "greeting\n");
  }
  streams.at(0).append(bytes("late"));
  streams.drop_all();
  SUCCEED("nothing broke");
}
