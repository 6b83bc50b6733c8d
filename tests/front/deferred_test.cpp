#include <Poco/Exception.h>

#include <catch2/catch.hpp>
#include <thread>

#include "front/raw_client.h"
#include "front/test_server.h"

using namespace orderd::http::front;
using namespace orderd::http::front::test;
using Poco::Net::HTTPServerResponse;

namespace {

const Fields json{{"Content-Type", "application/json"}};

}  // namespace

TEST_CASE("A deferred answer comes from another thread, with the fields its handler had set", "[deferred]") {
  TestServer server;
  RawClient client(server.port());
  client.send(get("/defer"));
  auto answers = server.deferred.take(1);
  std::thread([&] { answers[0].finish(201, {{"Location", "/api/orders/1"}}, "made"); }).join();
  CHECK_FALSE(answers[0]);
  const Answer answer = client.answer();
  CHECK(answer.status == 201);
  CHECK(answer.head.substr(0, 22) == "HTTP/1.1 201 Created\r\n");
  CHECK(answer.field("location") == "/api/orders/1");
  CHECK(answer.field("x-request-id") == "mine");
  CHECK(answer.body == "made");
  CHECK(client.ask(get_hello).body == hello);
}

TEST_CASE("Requests behind a deferred one wait for it, and answers leave in order", "[deferred]") {
  TestServer server;
  RawClient client(server.port());
  client.send(get("/defer") + get_hello + get("/defer") + get_hello);
  for (const std::string body : {"first", "third"}) {
    auto answers = server.deferred.take(1);
    REQUIRE(answers.size() == 1);
    // Another client is served meanwhile, the one behind it not.
    CHECK(RawClient(server.port()).ask(get_hello).body == hello);
    CHECK_FALSE(client.some(20));
    answers[0].finish(200, json, body);
    CHECK(client.answer().body == body);
    CHECK(client.answer().body == hello);
  }
}

TEST_CASE("Hundreds of requests wait for one batch with two workers", "[deferred]") {
  constexpr std::size_t clients_count = 300;
  TestServer server;
  std::vector<RawClient> clients;
  for (int round = 0; round < 3; ++round) {
    while (clients.size() < clients_count) clients.emplace_back(server.port());
    for (RawClient& client : clients) client.send(get("/defer"));
    auto answers = server.deferred.take(clients_count);
    std::thread([&] {
      for (DeferredAnswer& answer : answers) answer.finish(200, json, "done");
    }).join();
    for (RawClient& client : clients) REQUIRE(client.answer().body == "done");
  }
}

TEST_CASE("Answers are finished by many threads while requests come in", "[deferred]") {
  constexpr int threads_count = 4, requests_count = 200;
  TestServer server(TestServer::quick_options(),
                    {{"/later", [](Request& request, HTTPServerResponse&) {
                        auto answer = std::make_shared<DeferredAnswer>(request.defer());
                        std::thread([answer, body = std::string(request.query())] {
                          answer->finish(200, json, body);
                        }).detach();
                      }}});
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < threads_count; ++t)
    threads.emplace_back([&, t] {
      RawClient client(server.port());
      for (int i = 0; i < requests_count; ++i) {
        const std::string body = std::to_string(t) + "-" + std::to_string(i);
        if (client.ask(get("/later?" + body)).body == body) ++right;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(right == threads_count * requests_count);
}

TEST_CASE("An answer may be finished before its handler returns, and the handler may throw afterwards",
          "[deferred]") {
  TestServer server(TestServer::quick_options(), {{"/at-once", [](Request& request, HTTPServerResponse&) {
                                                     request.defer().finish(200, json, "now");
                                                     throw std::runtime_error("too late to matter");
                                                   }}});
  RawClient client(server.port());
  CHECK(client.ask(get("/at-once")).body == "now");
  CHECK(client.ask(get("/at-once")).body == "now");
}

TEST_CASE("A deferred answer that is dropped is a 500, and the connection closed", "[deferred]") {
  TestServer server;
  RawClient client(server.port());
  client.send(get("/defer"));
  server.deferred.take(1).clear();
  const Answer answer = client.answer();
  CHECK(answer.status == 500);
  CHECK(answer.field("content-type") == "application/problem+json");
  CHECK(answer.field("x-request-id") == "mine");
  CHECK(client.closed_by_server());
}

TEST_CASE("Assigning over an unfinished answer drops it", "[deferred]") {
  TestServer server;
  RawClient first(server.port()), second(server.port());
  first.send(get("/defer"));
  auto one = server.deferred.take(1);
  second.send(get("/defer"));
  auto two = server.deferred.take(1);
  one[0] = std::move(two[0]);
  CHECK(first.answer().status == 500);
  one[0].finish(200, json, "mine");
  CHECK(second.answer().body == "mine");
}

TEST_CASE("An answer for a client that has gone is dropped without harm", "[deferred]") {
  TestServer server;
  for (const bool reset : {false, true}) {
    std::vector<DeferredAnswer> answers;
    {
      RawClient client(server.port());
      client.send(get("/defer") + get_hello);
      answers = server.deferred.take(1);
      if (reset) client.reset();
    }
    answers[0].finish(200, json, std::string(1 << 20, 'x'));
    CHECK(eventually([&] { return server.metric("connections") == 0; }));
  }
  CHECK(RawClient(server.port()).ask(get_hello).body == hello);
}

TEST_CASE("A deferred answer that comes too late finds that 503 was sent in its place", "[deferred]") {
  Options options = TestServer::quick_options();
  options.deferred_timeout_ms = 1;
  TestServer server(options);
  RawClient client(server.port());
  client.send(get("/defer"));
  auto answers = server.deferred.take(1);
  const Answer answer = client.answer();
  CHECK(answer.status == 503);
  CHECK(answer.field("retry-after") == "1");
  CHECK(answer.field("x-request-id") == "mine");
  CHECK(answer.body.find("ANSWER_TIMEOUT") != std::string::npos);
  answers[0].finish(200, json, "late");
  CHECK(client.closed_by_server());
  CHECK(server.metric("timed_out_total") == 1);
}

TEST_CASE("A deferred answer to HEAD has a length and no body", "[deferred]") {
  TestServer server;
  RawClient client(server.port());
  client.send("HEAD /defer HTTP/1.1\r\nHost: x\r\n\r\n");
  server.deferred.take(1)[0].finish(200, json, "12345");
  CHECK(client.answer(true).field("content-length") == "5");
  CHECK(client.ask(get_hello).body == hello);
}

TEST_CASE("A deferred answer with a line break in a field is never sent", "[deferred]") {
  TestServer server;
  RawClient client(server.port());
  client.send(get("/defer"));
  server.deferred.take(1)[0].finish(200, {{"Location", "/\r\nSet-Cookie: a"}}, "");
  const Answer answer = client.answer();
  CHECK(answer.status == 500);
  CHECK(answer.head.find("Set-Cookie") == std::string::npos);
}

TEST_CASE("A request is deferred or streamed once, and only before its response is sent", "[deferred]") {
  const auto refuses = [](const auto& call) {
    try {
      (void)call();
    } catch (const Poco::IllegalStateException&) { return true; }
    return false;
  };
  std::atomic<int> refused{0};
  TestServer server(TestServer::quick_options(),
                    {{"/twice",
                      [&](Request& request, HTTPServerResponse&) {
                        DeferredAnswer answer = request.defer();
                        refused += refuses([&] { return request.defer(); });
                        refused += refuses([&] { return request.stream_answer({}); });
                        answer.finish(200, json, "once");
                      }},
                     {"/after", [&](Request& request, HTTPServerResponse& response) {
                        response.send() << "sent";
                        refused += refuses([&] { return request.defer(); });
                        refused += refuses([&] { return request.stream_answer({}); });
                      }}});
  RawClient client(server.port());
  CHECK(client.ask(get("/twice")).body == "once");
  CHECK(client.ask(get("/after")).body == "sent");
  CHECK(refused == 4);
}

TEST_CASE("Answers may be finished or dropped after the front has ended", "[deferred]") {
  std::vector<DeferredAnswer> answers;
  {
    TestServer server;
    RawClient one(server.port()), two(server.port());
    one.send(get("/defer"));
    two.send(get("/defer"));
    answers = server.deferred.take(2);
    CHECK_FALSE(server.front->drain(std::chrono::milliseconds(1)));
  }
  answers[0].finish(200, json, "late");
  answers.clear();
}
