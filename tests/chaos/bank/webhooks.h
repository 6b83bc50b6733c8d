#pragma once
// Tells the shop what happened, as a provider does: POST with a signature over the raw body, again and again
// until somebody answers 2xx; now and then twice, and out of order. Threads of its own; tell() from any.
#include <netinet/in.h>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "ledger.h"

namespace bank {

/// `port` of 127.0.0.1.
sockaddr_in loopback(int port);

struct WebhookTarget {
  std::vector<int> ports;  // of 127.0.0.1, taken in turn
  std::string path;        // "/api/webhooks/payment"
  std::string secret;
};

class Webhooks {
 public:
  Webhooks(WebhookTarget target, std::uint64_t seed);
  ~Webhooks();
  /// Does nothing without a target.
  void tell(const Event& event);
  /// Ids of what was answered with 2xx since the last call.
  std::vector<std::string> taken();

 private:
  void run();
  bool post(const std::string& body, std::size_t port, int& connection) const;

  const WebhookTarget target_;
  std::mt19937_64 random_;  // guarded by mutex_
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::int64_t, Event> due_;  // guarded by mutex_
  std::vector<std::string> taken_;          // guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
  std::size_t turn_ = 0;                    // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace bank
