#include "sender.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace merchant_webhooks {
namespace {

using orderd::sdk::HttpResponse;

constexpr int open_max = 16;
constexpr std::int64_t look_every_ms = 2'000;
constexpr std::int64_t prune_every_ms = 60'000;
constexpr std::int64_t reconnect_ms_min = 500, reconnect_ms_max = 15'000;
constexpr std::int64_t retry_after_s_max = 86'400;
constexpr std::size_t error_bytes_max = 200;

std::int64_t retry_after_ms(std::string_view header) {
  std::int64_t seconds = 0;
  const auto [stop, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  const bool sound = error == std::errc() && stop == header.data() + header.size() && seconds > 0;
  return sound ? std::min(seconds, retry_after_s_max) * 1000 : 0;
}

/// Of the answer only the status is kept: its body is the merchant's.
Result told(const HttpResponse& response) {
  Result result;
  if (!response.answered()) {
    result.error = std::string(response.message().substr(0, error_bytes_max));
    for (char& c : result.error)
      if (c < ' ' || c > '~') c = '?';
    return result;
  }
  result.status = response.status();
  if (!result.delivered()) result.error = "answered " + std::to_string(result.status);
  if (result.status == 429 || result.status == 503)
    result.retry_after_ms = retry_after_ms(response.header("retry-after"));
  return result;
}

}  // namespace

Sender::Sender(const orderd::sdk::Host& host, SenderConfig config)
    : host_(host),
      config_(std::move(config)),
      http_(host),
      clock_(host),
      signature_(host),
      delivered_(host, ORDERD_METRIC_COUNTER, "webhooks_delivered_total", "Messages that the merchant took."),
      failed_(host, ORDERD_METRIC_COUNTER, "webhooks_failed_total", "Attempts that failed."),
      given_up_(host, ORDERD_METRIC_COUNTER, "webhooks_given_up_total",
                "Messages that were tried for too long."),
      waiting_(host, ORDERD_METRIC_GAUGE, "webhooks_waiting", "Messages that are not delivered yet."),
      disabled_(host, ORDERD_METRIC_GAUGE, "webhooks_disabled", "1: the endpoint failed for too long.") {}

void Sender::start() {
  thread_ = std::thread([this] { run(); });
}

void Sender::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

/// False once the plugin stops.
bool Sender::wait(std::int64_t ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(ms), [&] { return stopping_ || !results_.empty(); });
  return !stopping_;
}

void Sender::run() {
  std::optional<DeliveryQueue> queue;
  std::int64_t pause_ms = reconnect_ms_min;
  for (bool on = true; on;) {
    try {
      if (!queue) {
        queue.emplace(config_.queue);
        if (queue->replayed() > 0)
          host_.log(ORDERD_LOG_INFO,
                    "sends " + std::to_string(queue->replayed()) + " messages again, as asked");
      }
      turn(*queue);
      pause_ms = reconnect_ms_min;
      on = wait(config_.poll_ms);
    } catch (const BookError& error) {
      queue.reset();
      if (pause_ms == reconnect_ms_min)
        host_.log(ORDERD_LOG_WARNING, std::string("setting \"database\": ") + error.what());
      {
        // What had ended is due again when its lease is over.
        const std::lock_guard lock(mutex_);
        results_.clear();
      }
      on = wait(pause_ms);
      pause_ms = std::min(pause_ms * 2, reconnect_ms_max);
    } catch (const std::exception& error) {
      host_.log(ORDERD_LOG_ERROR, std::string("sending stumbled, and goes on: ") + error.what());
      on = wait(reconnect_ms_max);
    }
  }
}

void Sender::turn(DeliveryQueue& queue) {
  std::vector<Result> results;
  int room = 0;
  {
    const std::lock_guard lock(mutex_);
    results.swap(results_);
    room = open_max - open_;
  }
  for (const Result& result : results) settle(queue, result);
  if (room > 0)
    for (const Due& due : queue.begin(room)) post(due);
  look(queue);
}

void Sender::post(const Due& due) {
  const Message message{due.message_id, due.body, clock_.now_ms() / 1000};
  orderd::sdk::HttpRequest request;
  request.url = config_.queue.url;
  request.body = due.body;
  request.deadline_ms = clock_.now_ms() + config_.timeout_ms;
  request.headers = {{"content-type", "application/json"},
                     {"user-agent", "orderd"},
                     {"webhook-id", message.id},
                     {"webhook-timestamp", std::to_string(message.timestamp_s)},
                     {"webhook-signature", signature_of(message, config_.keys, signature_)}};
  {
    const std::lock_guard lock(mutex_);
    ++open_;
  }
  // Not the host's clock: an answer may come after stop(), when the host is not to be called any more.
  const auto began = std::chrono::steady_clock::now();
  const auto done = [this, id = due.id, attempts = due.attempts, began](Result result) {
    result.id = id;
    result.attempts = attempts;
    result.elapsed_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began)
            .count();
    ended(std::move(result));
  };
  try {
    http_.submit(request, [done](const HttpResponse& response) { done(told(response)); });
  } catch (const orderd::sdk::Refused& refused) {
    Result result;
    result.error = refused.what();
    done(std::move(result));
  }
}

void Sender::ended(Result result) {
  {
    const std::lock_guard lock(mutex_);
    --open_;
    results_.push_back(std::move(result));
  }
  changed_.notify_all();
}

void Sender::settle(DeliveryQueue& queue, const Result& result) {
  (result.delivered() ? delivered_ : failed_).add();
  switch (queue.end(result)) {
    case DeliveryQueue::Left::given_up:
      given_up_.add();
      host_.log(ORDERD_LOG_ERROR, "gave a message up after " + std::to_string(result.attempts) +
                                      " attempts: " + result.error +
                                      "; the setting \"replay\" sends it again");
      return;
    case DeliveryQueue::Left::disabled:
      host_.log(ORDERD_LOG_ERROR, "the endpoint is disabled (" + result.error +
                                      "); another \"url\", or a \"replay\", takes it up again");
      return;
    case DeliveryQueue::Left::nothing:
    case DeliveryQueue::Left::again:
      return;
  }
}

void Sender::look(DeliveryQueue& queue) {
  const std::int64_t now = clock_.monotonic_ms();
  if (looked_ms_ == 0 || now - looked_ms_ >= look_every_ms) {
    looked_ms_ = now;
    const DeliveryQueue::State state = queue.state();
    waiting_.set(state.waiting);
    disabled_.set(state.disabled ? 1 : 0);
  }
  if (pruned_ms_ == 0 || now - pruned_ms_ >= prune_every_ms) {
    const DeliveryQueue::Forgotten forgotten = queue.prune();
    pruned_ms_ = forgotten.more ? 0 : now;
    if (forgotten.undelivered > 0) {
      given_up_.add(forgotten.undelivered);
      host_.log(ORDERD_LOG_ERROR, "forgot " + std::to_string(forgotten.undelivered) +
                                      " messages that could not be delivered for \"keep_days\"");
    }
  }
}

}  // namespace merchant_webhooks
