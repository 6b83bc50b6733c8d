#pragma once
// One thread that takes what is due, posts it through the host's HTTP client and writes down what came of it.
// Hosts share the work: a message belongs to whoever began it, until its lease is over, so each is delivered
// at least once.
#include <orderd/http.hpp>
#include <orderd/services.hpp>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "delivery_queue.h"

namespace merchant_webhooks {

struct SenderConfig {
  QueueConfig queue;
  std::vector<std::string> keys;
  std::int64_t timeout_ms = 0, poll_ms = 0;
};

class Sender {
 public:
  Sender(const orderd::sdk::Host& host, SenderConfig config);
  void start();
  void stop();

 private:
  void run();
  /// Ends what has ended, begins what is due. Throws BookError.
  void turn(DeliveryQueue& queue);
  void post(const Due& due);
  void ended(Result result);
  void settle(DeliveryQueue& queue, const Result& result);
  void look(DeliveryQueue& queue);
  bool wait(std::int64_t ms);

  const orderd::sdk::Host host_;
  const SenderConfig config_;
  const orderd::sdk::HttpClient http_;
  const orderd::sdk::Clock clock_;
  const orderd::sdk::Signature signature_;
  const orderd::sdk::Metric delivered_, failed_, given_up_, waiting_, disabled_;
  std::int64_t looked_ms_ = 0, pruned_ms_ = 0;  // the thread's

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;        // guarded by mutex_
  int open_ = 0;                 // requests under way; guarded by mutex_
  std::vector<Result> results_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace merchant_webhooks
