#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "front/raw_client.h"
#include "front/test_server.h"

using namespace orderd::http::front;
using namespace orderd::http::front::test;
using Poco::Net::HTTPServerResponse;

namespace {

/// Takes sockets over and greets on them, as a stream would; closes them at once or keeps them. [workers]
class Streams {
 public:
  explicit Streams(bool keep) : keep_(keep) {}
  ~Streams() {
    for (const int fd : fds_) ::close(fd);
  }
  void take(Request& request) {
    const DetachedSocket socket = request.detach();
    const std::string greeting = "stream for " + socket.peer.host().toString();
    if ((::fcntl(socket.fd, F_GETFL) & O_NONBLOCK) == 0) return;
    (void)!::send(socket.fd, greeting.data(), greeting.size(), MSG_NOSIGNAL);
    if (!keep_) {
      ::close(socket.fd);
      return;
    }
    std::lock_guard lock(mutex_);
    fds_.push_back(socket.fd);
  }
  void end_all() {
    std::lock_guard lock(mutex_);
    for (const int fd : fds_) ::close(fd);
    fds_.clear();
  }

 private:
  const bool keep_;
  std::mutex mutex_;
  std::vector<int> fds_;  // guarded by mutex_
};

std::map<std::string, TestServer::Handle> stream_handler(Streams& streams) {
  return {{"/stream", [&](Request& request, HTTPServerResponse&) { streams.take(request); }}};
}

}  // namespace

TEST_CASE("A detached socket is its receiver's, and the front counts it no longer", "[detach]") {
  Streams streams(true);
  TestServer server(TestServer::quick_options(), stream_handler(streams));
  std::vector<RawClient> clients;
  for (int i = 0; i < 50; ++i) {
    clients.emplace_back(server.port());
    clients.back().send((i % 2 ? get_hello : "") + get("/stream"));
  }
  for (int i = 0; i < 50; ++i) {
    if (i % 2) CHECK(clients[static_cast<std::size_t>(i)].answer().body == hello);
    CHECK(clients[static_cast<std::size_t>(i)].some(30'000) == "stream for 127.0.0.1");
  }
  CHECK(eventually([&] { return server.metric("connections") == 0; }));
  // Neither what they send nor their end concerns the front.
  for (RawClient& client : clients) client.send(get_hello);
  CHECK(RawClient(server.port()).ask(get_hello).body == hello);
  CHECK_FALSE(clients[0].some(10));
  streams.end_all();
  CHECK(clients[0].closed_by_server());
}

TEST_CASE("Streams outlive the front", "[detach]") {
  Streams streams(true);
  auto server = std::make_unique<TestServer>(TestServer::quick_options(), stream_handler(streams));
  RawClient client(server->port());
  client.send(get("/stream"));
  CHECK(client.some(30'000) == "stream for 127.0.0.1");
  CHECK(server->front->drain(std::chrono::seconds(10)));
  server.reset();
  CHECK_FALSE(client.some(10));
  streams.end_all();
  CHECK(client.closed_by_server());
}

TEST_CASE("A descriptor that a stream has closed is another connection's at once", "[detach]") {
  Streams streams(false);
  TestServer server(TestServer::quick_options(), stream_handler(streams));
  for (int i = 0; i < 300; ++i) {
    RawClient stream(server.port());
    stream.send(get("/stream"));
    REQUIRE(stream.rest() == "stream for 127.0.0.1");
    RawClient client(server.port());
    REQUIRE(client.ask(get_hello).body == hello);
    REQUIRE(client.ask(get_hello).body == hello);
  }
}
