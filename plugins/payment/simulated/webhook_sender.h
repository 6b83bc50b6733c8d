#pragma once
// Tells the shop what became of challenges: posts each event until it is answered with 2xx, oldest first,
// with growing waits (1 s to 30 s) while it is not. One thread of its own.
#include <orderd/services.hpp>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "challenge_store.h"

namespace simulated {

class WebhookSender {
 public:
  /// `url`: http only. The secret signs (webhook.h).
  WebhookSender(ChallengeStore& challenges, orderd::sdk::Host host, std::string url, std::string secret);
  void start();
  void stop();
  /// There is an event to post. [any thread]
  void wake();

 private:
  void run();
  /// True: nothing is left. False: look again soon.
  bool deliver();
  bool post(const ChallengeResult& result);
  void failed(const std::string& why);

  ChallengeStore& challenges_;
  const orderd::sdk::Host host_;
  const orderd::sdk::Signature signature_;
  const orderd::sdk::Clock clock_;
  const std::string url_, secret_;
  bool failing_ = false;  // thread_ only
  std::mutex mutex_;
  std::condition_variable changed_;
  bool news_ = true;       // guarded by mutex_; at the start there may be some of earlier
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace simulated
