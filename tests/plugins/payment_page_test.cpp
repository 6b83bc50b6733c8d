// The bank's page for the buyer of tok_3ds, and the webhooks that follow his answer.
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/StreamCopier.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <future>

#include "plugins/support/bank.h"

using namespace orderd;
using namespace orderd::plugins::test;
using Poco::Net::HTTPRequest;

namespace {

struct Reply {
  int status;
  std::string body, location;
};

Reply http(int port, const std::string& method, const std::string& path, const std::string& body = {}) {
  Poco::Net::HTTPClientSession session("127.0.0.1", static_cast<Poco::UInt16>(port));
  HTTPRequest request(method, path, HTTPRequest::HTTP_1_1);
  request.setContentLength(static_cast<std::streamsize>(body.size()));
  session.sendRequest(request) << body;
  Poco::Net::HTTPResponse response;
  std::string text;
  Poco::StreamCopier::copyToString(session.receiveResponse(response), text);
  return {response.getStatus(), text, response.get("Location", "")};
}

/// The shop's side: takes one call after another, as raw text, and answers each with a status.
class Shop {
 public:
  Shop() : socket_(Poco::Net::SocketAddress("127.0.0.1", 0)) {}
  int port() const { return socket_.address().port(); }
  plugins::WebhookRequest take(int status) {
    if (!socket_.poll(Poco::Timespan(30, 0), Poco::Net::Socket::SELECT_READ))
      throw std::runtime_error("no webhook came");
    Poco::Net::StreamSocket client = socket_.acceptConnection();
    std::string text;
    std::size_t head = 0, length = 0;
    do {
      char chunk[4096];
      const int count = client.receiveBytes(chunk, sizeof chunk);
      if (count <= 0) throw std::runtime_error("the webhook broke off");
      text.append(chunk, static_cast<std::size_t>(count));
      head = text.find("\r\n\r\n");
      if (head != std::string::npos) length = std::stoul(text.substr(text.find("Content-Length: ") + 16));
    } while (head == std::string::npos || text.size() < head + 4 + length);
    const std::string answer = "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n";
    client.sendBytes(answer.data(), static_cast<int>(answer.size()));
    plugins::WebhookRequest request{"POST", {}, {}, text.substr(head + 4), now()};
    const std::size_t name = text.find("Simulated-Signature: ") + 21;
    request.headers.emplace_back("simulated-signature", text.substr(name, text.find('\r', name) - name));
    return request;
  }

 private:
  Poco::Net::ServerSocket socket_;
};

int free_port() { return Poco::Net::ServerSocket(Poco::Net::SocketAddress("127.0.0.1", 0)).address().port(); }

std::map<std::string, std::string> settings(int page_port, int shop_port) {
  return {{"page_port", std::to_string(page_port)},
          {"shop_url", "http://shop.example/#/orders/"},
          {"webhook_url", "http://127.0.0.1:" + std::to_string(shop_port) + "/api/webhooks/bank"},
          {"webhook_secret", "known to both"}};
}

}  // namespace

TEST_CASE(
    "A buyer's answer on the bank's page reaches the shop by a webhook that is sent until it is taken") {
  Database database;
  Shop shop;
  const int port = free_port();
  Bank bank(database, settings(port, shop.port()));
  const auto [answer, status, event] = GENERATE(table<std::string, OutcomeKind, std::string>(
      {{"answer=yes", OutcomeKind::done, "authorize.approved"},
       {"answer=no", OutcomeKind::declined, "authorize.refused"}}));
  const Outcome waiting = bank.authorize("p1", "tok_3ds");
  REQUIRE(waiting.next_action);
  CHECK(waiting.next_action->url == "http://127.0.0.1:" + std::to_string(port) + "/3ds/p1");
  CHECK(http(port, "GET", "/3ds/p1").body.find("id=\"agree\"") != std::string::npos);

  const Reply answered = http(port, "POST", "/3ds/p1", answer);
  CHECK(answered.status == 303);
  CHECK(answered.location == "/3ds/p1");
  CHECK(http(port, "GET", "/3ds/p1").body.find("http://shop.example/#/orders/p1") != std::string::npos);
  CHECK(http(port, "POST", "/3ds/p1", "answer=yes").status == 303);  // too late to change his mind
  const plugins::WebhookRequest first = shop.take(503), again = shop.take(200);
  CHECK(first.body == again.body);
  CHECK(bank.query("p1", "p1.authorize.1").kind == status);

  const auto read = bank.webhook(again);
  REQUIRE(read.kind == plugins::WebhookResult::Kind::taken);
  REQUIRE(read.events.size() == 1);
  CHECK(read.events[0].type == event);
  CHECK(read.events[0].command_key == "p1.authorize.1");
  CHECK(read.events[0].outcome.kind == OutcomeKind::unknown);
}

TEST_CASE("A webhook that is not the bank's, or is old, is refused") {
  Database database;
  Shop shop;
  const int port = free_port();
  Bank bank(database, settings(port, shop.port()));
  bank.authorize("p1", "tok_3ds");
  http(port, "POST", "/3ds/p1", "answer=yes");
  const plugins::WebhookRequest good = shop.take(200);
  REQUIRE(bank.webhook(good).kind == plugins::WebhookResult::Kind::taken);

  const auto refused = [&](auto change) {
    plugins::WebhookRequest bad = good;
    change(bad);
    return bank.webhook(bad).kind == plugins::WebhookResult::Kind::refused;
  };
  CHECK(refused([](auto& bad) { bad.body += " "; }));
  CHECK(refused([](auto& bad) { bad.headers.clear(); }));
  CHECK(refused([](auto& bad) { bad.headers[0].second.back() ^= 1; }));
  CHECK(refused([](auto& bad) { bad.headers[0].second = "t=,v1="; }));
  CHECK(refused([](auto& bad) { bad.received += std::chrono::minutes(6); }));
  CHECK(refused([](auto& bad) { bad.received -= std::chrono::minutes(6); }));
}

TEST_CASE("The bank's page refuses what is no answer, and says when there is nothing to agree to") {
  Database database;
  const int port = free_port();
  Bank bank(database, settings(port, 1));
  bank.authorize("p1", "tok_3ds");
  bank.authorize("p2", "tok_ok");
  CHECK(http(port, "POST", "/3ds/p1", "answer=perhaps").status == 400);
  CHECK(http(port, "POST", "/3ds/p1", std::string(5000, 'x')).status == 400);
  CHECK(http(port, "DELETE", "/3ds/p1").status == 405);
  CHECK(http(port, "GET", "/3ds/p2").status == 404);
  CHECK(http(port, "GET", "/3ds/%00").status == 404);
  CHECK(http(port, "GET", "/").status == 404);
  CHECK(http(port, "GET", "/3ds/" + std::string(600, 'x')).status == 404);
  bank.void_authorization("p1");
  CHECK(http(port, "GET", "/3ds/p1").body.find("withdrawn") != std::string::npos);
}

TEST_CASE("A page without a way to tell the shop is refused with the setting's name") {
  Database database;
  auto given = settings(free_port(), 1);
  const std::string missing = GENERATE("webhook_url", "webhook_secret");
  given.erase(missing);
  CHECK_THROWS_WITH(Bank(database, given), Catch::Contains("\"" + missing + "\""));
}
