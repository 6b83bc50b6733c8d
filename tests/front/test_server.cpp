#include "front/test_server.h"

#include <catch2/catch.hpp>
#include <iterator>
#include <thread>

namespace orderd::http::front::test {
namespace {

constexpr std::chrono::seconds patience{30};

class Handler final : public Poco::Net::HTTPRequestHandler {
 public:
  explicit Handler(TestServer::Handle handle) : handle_(std::move(handle)) {}
  void handleRequest(Poco::Net::HTTPServerRequest& request,
                     Poco::Net::HTTPServerResponse& response) override {
    handle_(Request::from(request), response);
  }

 private:
  const TestServer::Handle handle_;
};

class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  Factory(TestServer& server, std::map<std::string, TestServer::Handle> handles)
      : server_(server), handles_(std::move(handles)) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest& request) override {
    ++server_.handled;
    const std::string& uri = request.getURI();
    const auto found = handles_.find(uri.substr(0, uri.find('?')));
    return found == handles_.end() ? nullptr : new Handler(found->second);
  }

 private:
  TestServer& server_;
  const std::map<std::string, TestServer::Handle> handles_;
};

void send(Poco::Net::HTTPServerResponse& response, const std::string& body) {
  response.setContentType("application/json");
  response.sendBuffer(body.data(), body.size());
}

}  // namespace

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

void DeferredAnswers::add(DeferredAnswer answer) {
  {
    std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  added_.notify_all();
}

std::vector<DeferredAnswer> DeferredAnswers::take(std::size_t count) {
  std::unique_lock lock(mutex_);
  const bool enough = added_.wait_for(lock, patience, [&] { return answers_.size() >= count; });
  REQUIRE(enough);
  return std::exchange(answers_, {});
}

void Gate::wait() {
  ++waiting_;
  std::unique_lock lock(mutex_);
  opened_.wait(lock, [&] { return open_; });
  --waiting_;
}

void Gate::open() {
  {
    std::lock_guard lock(mutex_);
    open_ = true;
  }
  opened_.notify_all();
}

Options TestServer::quick_options() {
  Options options;
  options.port = 0;
  options.workers = 2;
  return options;
}

TestServer::TestServer(Options options, std::map<std::string, Handle> more, ErrorRenderer renderer) {
  more["/hello"] = [](Request&, auto& response) { send(response, hello); };
  more["/echo"] = [](Request& request, auto& response) {
    const std::string read(std::istreambuf_iterator<char>(request.stream()), {});
    const std::string same = read == request.body() ? "" : " stream and body differ";
    send(response, request.getMethod() + " " + std::to_string(read.size()) + " " + read.substr(0, 64) + same);
  };
  more["/defer"] = [this](Request& request, auto& response) {
    response.set("X-Request-Id", "mine");
    deferred.add(request.defer());
  };
  more["/gate"] = [this](Request&, auto& response) {
    gate.wait();
    send(response, hello);
  };
  front = std::make_unique<Front>(std::move(options), new Factory(*this, std::move(more)),
                                  std::move(renderer), metrics_);
}

TestServer::~TestServer() {
  gate.open();
  front.reset();
}

}  // namespace orderd::http::front::test
