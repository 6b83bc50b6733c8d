#include "page.h"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>
#include <Poco/URI.h>

#include <chrono>
#include <istream>
#include <ostream>
#include <utility>

namespace simulated {
namespace {

using Poco::Net::HTTPResponse;

constexpr std::size_t path_bytes_max = 512, form_bytes_max = 64;
constexpr int threads_max = 4, queued_max = 32, timeout_seconds = 10;
constexpr std::string_view prefix = "/3ds/";

constexpr const char* head =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    "<meta name=\"color-scheme\" content=\"light dark\"><title>Simulated bank</title><style>"
    "body{font:16px/1.5 system-ui,sans-serif;margin:0;display:grid;place-items:center;min-height:100vh}"
    "main{max-width:26rem;padding:1.5rem}h1{font-size:1.4rem}form{display:flex;gap:.75rem;flex-wrap:wrap}"
    "button{font:inherit;padding:.7rem 1.4rem;border-radius:.5rem;border:2px solid;cursor:pointer}"
    "</style></head><body><main>";

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
      out += "&#" + std::to_string(static_cast<int>(c)) + ";";
    else
      out += c;
  }
  return out;
}

const char* words_of(Challenge::State state) {
  switch (state) {
    case Challenge::State::open:
      return "The shop asks for this payment. Do you agree?";
    case Challenge::State::approved:
      return "You agreed. We inform the shop.";
    case Challenge::State::refused:
      return "You did not agree; nothing is charged. We inform the shop.";
    case Challenge::State::expired:
      return "The time to agree is over; nothing is charged.";
    case Challenge::State::closed:
      return "The shop has withdrawn this payment; nothing is charged.";
  }
  return "";
}

class Handler final : public Poco::Net::HTTPRequestHandler {
 public:
  Handler(const PageOptions& options, ChallengeStore& challenges, const std::function<void()>& answered)
      : options_(options), challenges_(challenges), answered_(answered) {}

  void handleRequest(Poco::Net::HTTPServerRequest& request,
                     Poco::Net::HTTPServerResponse& response) override {
    response.set("Content-Security-Policy",
                 "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'");
    response.set("Cache-Control", "no-store");
    response.set("Referrer-Policy", "no-referrer");
    response.set("X-Content-Type-Options", "nosniff");
    response.setKeepAlive(false);
    try {
      const std::string payment = payment_of(request.getURI());
      if (payment.empty())
        say(response, HTTPResponse::HTTP_NOT_FOUND, "There is nothing here.");
      else if (request.getMethod() == "POST")
        take(request, response, payment);
      else if (request.getMethod() == "GET" || request.getMethod() == "HEAD")
        show(response, payment);
      else
        say(response, HTTPResponse::HTTP_METHOD_NOT_ALLOWED, "GET and POST are understood here.");
    } catch (const PgSessionError&) {
      say(response, HTTPResponse::HTTP_SERVICE_UNAVAILABLE, "The bank's ledger is away; try again.");
    }
  }

 private:
  static std::string payment_of(const std::string& uri) {
    if (uri.size() > path_bytes_max || uri.compare(0, prefix.size(), prefix) != 0) return "";
    try {
      std::string out;
      Poco::URI::decode(uri.substr(prefix.size(), uri.find('?') - prefix.size()), out);
      return out.find('\0') == std::string::npos ? out : "";
    } catch (const Poco::SyntaxException&) { return ""; }
  }

  void take(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response,
            const std::string& payment) {
    char form[form_bytes_max + 1];
    request.stream().read(form, sizeof form);
    const std::string_view given(form, static_cast<std::size_t>(request.stream().gcount()));
    if (given != "answer=yes" && given != "answer=no")
      return say(response, HTTPResponse::HTTP_BAD_REQUEST, "The form is answer=yes or answer=no.");
    if (challenges_.answer(payment, given == "answer=yes", options_.now_ms())) answered_();
    response.redirect(request.getURI(), HTTPResponse::HTTP_SEE_OTHER);
  }

  void show(Poco::Net::HTTPServerResponse& response, const std::string& payment) {
    const auto found = challenges_.find(payment, options_.now_ms());
    if (!found) return say(response, HTTPResponse::HTTP_NOT_FOUND, "There is no such payment to agree to.");
    std::string more = "<p>Payment of <strong>" + std::to_string(found->amount) + " minor units " +
                       escaped(found->currency) + "</strong>, number " + escaped(payment) + ".</p>";
    if (found->state == Challenge::State::open)
      more +=
          "<form method=\"post\"><button id=\"agree\" name=\"answer\" value=\"yes\">Agree</button>"
          "<button id=\"refuse\" name=\"answer\" value=\"no\">Do not agree</button></form>";
    else if (!options_.shop_url.empty())
      more +=
          "<p><a id=\"back\" href=\"" + escaped(options_.shop_url + payment) + "\">Back to the shop</a></p>";
    say(response, HTTPResponse::HTTP_OK, words_of(found->state), more);
  }

  static void say(Poco::Net::HTTPServerResponse& response, HTTPResponse::HTTPStatus status,
                  const std::string& words, const std::string& more = {}) {
    const std::string page = head + std::string("<h1>Simulated bank</h1><p id=\"state\">") + escaped(words) +
                             "</p>" + more + "</main></body></html>";
    response.setStatusAndReason(status);
    response.setContentType("text/html; charset=utf-8");
    response.setContentLength(static_cast<std::streamsize>(page.size()));
    response.send() << page;
  }

  const PageOptions& options_;
  ChallengeStore& challenges_;
  const std::function<void()>& answered_;
};

class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  Factory(PageOptions options, ChallengeStore& challenges, std::function<void()> answered)
      : options_(std::move(options)), challenges_(challenges), answered_(std::move(answered)) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
    return new Handler(options_, challenges_, answered_);  // the server deletes it
  }

 private:
  const PageOptions options_;
  ChallengeStore& challenges_;
  const std::function<void()> answered_;
};

Poco::Net::ServerSocket listening(std::uint16_t port) {
  Poco::Net::ServerSocket socket;
  socket.bind(Poco::Net::SocketAddress("127.0.0.1", port), true, true);
  socket.listen();
  return socket;
}

/// Its threads end with it.
struct Server final : private Poco::ThreadPool, public Poco::Net::HTTPServer {
  Server(Poco::Net::HTTPRequestHandlerFactory* factory, std::uint16_t port,
         const Poco::Net::HTTPServerParams::Ptr& params)
      : Poco::ThreadPool(1, threads_max + 1),
        Poco::Net::HTTPServer(factory, static_cast<Poco::ThreadPool&>(*this), listening(port), params) {}
};

}  // namespace

Page::Page(PageOptions options, ChallengeStore& challenges, std::function<void()> answered) {
  Poco::Net::HTTPServerParams::Ptr params(new Poco::Net::HTTPServerParams);
  params->setMaxThreads(threads_max);
  params->setMaxQueued(queued_max);
  params->setTimeout(Poco::Timespan(timeout_seconds, 0));
  params->setKeepAlive(false);
  const std::uint16_t port = options.port;
  server_ = std::make_unique<Server>(new Factory(std::move(options), challenges, std::move(answered)), port,
                                     params);
  server_->start();
}

Page::~Page() { server_->stopAll(true); }

}  // namespace simulated
