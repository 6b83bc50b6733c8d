#pragma once
// Takes in what providers post. Each plugin instance has a lane of its own: a bounded queue and one thread,
// on which the plugin verifies and translates; so a plugin that hangs keeps nobody else's webhooks waiting,
// and no web worker ever calls a plugin. A provider is answered after its events are committed:
//
// 1. `webhook_events` takes each event id of a provider once; the second time it is a duplicate.
// 2. A new event becomes a notice in `saga_inbox`, which the owner of the order's shard takes.
// 3. An event that finds no order by the provider's reference has probably overtaken the answer that
//    carries it: the raw call stays in `webhook_inbox` and is read again, with growing waits, for a day.
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/metrics.h"
#include "base/queue.h"
#include "base/worker.h"
#include "plugin_ports/webhook.h"
#include "store/pool.h"

namespace orderd::webhooks {

struct Answer {
  enum class Kind { taken, refused, unavailable, overloaded };
  Kind kind = Kind::unavailable;
  int status = 200;            // taken
  std::string type{}, body{};  // taken; may be empty
};
/// Called once, on the lane's thread or inside submit().
using Done = std::function<void(const Answer&)>;

struct Options {
  std::size_t calls_queued_max = 1000;
  std::size_t calls_per_batch_max = 64;
  Millis look_again{1000};  // at calls that wait for their order
  Millis kept_max{24 * 3'600'000};
};

class InstanceWorker {
 public:
  InstanceWorker(Options options, plugins::WebhookPort& port, store::Pool& pool);
  /// Answers what still waits with `unavailable`.
  ~InstanceWorker();
  void submit(plugins::WebhookRequest request, Done done);

 private:
  struct Call {
    plugins::WebhookRequest request;
    Done done;
    std::int64_t row = 0;  // in webhook_inbox, when it is read again
    std::int32_t attempts = 0;
  };
  struct Translated {
    Call* call;
    plugins::WebhookResult result;
  };
  void run(std::stop_token stop);
  void take(std::vector<Call>& calls);
  void keep(const std::vector<Translated>& batch);
  void look_again();
  void answer(const Translated& one, bool kept) const;

  const Options options_;
  plugins::WebhookPort& port_;
  store::Pool& pool_;
  BoundedQueue<Call> queue_;
  Metrics::Counter &taken_, &refused_, &duplicates_;
  Metrics::Gauge& waiting_;
  Worker thread_;  // last: ends first
};

/// All lanes, by instance. [any thread]
class Receiver {
 public:
  explicit Receiver(Options options = {}) : options_(options) {}
  /// After the plugins have started; until then every call is answered with `unavailable`.
  void start(const std::vector<plugins::WebhookPort*>& ports, store::Pool& pool);
  /// Before the plugins are stopped.
  void stop();
  /// False: no such instance, or it takes no webhooks; `done` is not called then.
  [[nodiscard]] bool submit(const std::string& instance, plugins::WebhookRequest request, Done done);

 private:
  const Options options_;
  std::mutex mutex_;
  bool started_ = false;                                            // guarded by mutex_
  std::map<std::string, std::unique_ptr<InstanceWorker>> workers_;  // guarded by mutex_
};

}  // namespace orderd::webhooks
