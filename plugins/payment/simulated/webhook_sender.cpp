#include "webhook_sender.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/NullStream.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "webhook.h"

namespace simulated {
namespace {

constexpr std::chrono::seconds wait_min{1}, wait_max{30};
constexpr int timeout_seconds = 10;
constexpr std::int64_t events_per_round = 50;

}  // namespace

WebhookSender::WebhookSender(ChallengeStore& challenges, orderd::sdk::Host host, std::string url,
                             std::string secret)
    : challenges_(challenges),
      host_(host),
      signature_(host),
      clock_(host),
      url_(std::move(url)),
      secret_(std::move(secret)) {}

void WebhookSender::start() {
  thread_ = std::thread([this] { run(); });
}

void WebhookSender::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void WebhookSender::wake() {
  {
    std::lock_guard lock(mutex_);
    news_ = true;
  }
  changed_.notify_all();
}

void WebhookSender::run() {
  std::chrono::seconds wait = wait_min;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!std::exchange(news_, false)) {
      changed_.wait(lock, [&] { return stopping_ || news_; });
      continue;
    }
    lock.unlock();
    const bool all = deliver();
    lock.lock();
    if (all) {
      wait = wait_min;
      continue;
    }
    news_ = true;
    changed_.wait_for(lock, wait, [&] { return stopping_; });
    wait = std::min(wait * 2, wait_max);
  }
}

bool WebhookSender::deliver() {
  try {
    for (;;) {
      const std::vector<ChallengeResult> all = challenges_.undelivered(events_per_round);
      if (all.empty()) return true;
      for (const ChallengeResult& result : all) {
        if (!post(result)) return false;
        challenges_.delivered(result.id);
      }
    }
  } catch (const std::exception& error) {
    failed(error.what());
    return false;
  }
}

bool WebhookSender::post(const ChallengeResult& result) {
  const Poco::URI uri(url_);
  Poco::Net::HTTPClientSession session(uri.getHost(), uri.getPort());
  session.setTimeout(Poco::Timespan(timeout_seconds, 0));
  const std::string body = webhook_body(result);
  Poco::Net::HTTPRequest request("POST", uri.getPathAndQuery(), "HTTP/1.1");
  request.setContentType("application/json");
  request.setContentLength(static_cast<std::streamsize>(body.size()));
  request.set(signature_header, webhook_signature(signature_, secret_, clock_.now_ms(), body));
  Poco::Net::HTTPResponse response;
  try {
    session.sendRequest(request) << body;
    Poco::NullOutputStream nowhere;
    Poco::StreamCopier::copyStream(session.receiveResponse(response), nowhere);
  } catch (const Poco::Exception& error) {
    failed(error.displayText());
    return false;
  }
  if (response.getStatus() / 100 != 2) {
    failed("the answer is " + std::to_string(response.getStatus()));
    return false;
  }
  if (std::exchange(failing_, false)) host_.log(ORDERD_LOG_INFO, "webhooks reach the shop again");
  return true;
}

/// Said once, until one is delivered.
void WebhookSender::failed(const std::string& why) {
  if (!std::exchange(failing_, true))
    host_.log(ORDERD_LOG_WARNING, "a webhook to " + url_ + " was not taken, and is sent again: " + why);
}

}  // namespace simulated
