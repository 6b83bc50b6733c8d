#pragma once
// Live status of orders to everybody who watches one. Two threads serve all streams:
//
// 1. The tail follows every partition of the bus without owning any, keeps what somebody watches, and reads
//    from history what a stream turns out to lack. Now and then it compares all watched orders with the
//    database, so that no stream stays behind whatever the bus lost. While nobody watches, it rests.
// 2. The fan-out (fan_out.h) has the streams, and waits neither for a client nor for the database.
//
// A web worker opens a stream in this order, so that no version falls between history and feed:
// watch() → read the order's history → open(). Versions that both bring are dropped by number. If the tail
// was at rest, history is read once more when it reads.
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <variant>

#include "base/worker.h"
#include "bus/event_bus.h"
#include "sse/client.h"
#include "sse/frame.h"
#include "store/pool.h"

namespace orderd::sse {

class FanOut;

struct BroadcasterOptions {
  std::int32_t partitions = 8;
  std::size_t streams_max = 10'000;
  std::size_t streams_per_client_max = 1'000;
  int heartbeat_ms = 15'000;  // a comment line, so that proxies and clients see the stream alive
  // What a client may leave unread, for whoever makes them.
  std::size_t stream_bytes_max = 64 * 1024;  // waiting for one; beyond it is disconnected
  int send_buffer_bytes = 32 * 1024;         // SO_SNDBUF: small, so that a slow client is noticed
  int stall_timeout_ms = 30'000;             // without the client taking a waiting byte; then disconnected
  int compare_interval_ms = 5'000;           // between comparisons with the database
};

/// Owned by main; needs bus and pool for its life. [any thread]
class Broadcaster {
 public:
  Broadcaster(bus::EventBus& bus, store::Pool& pool, BroadcasterOptions options = {});
  ~Broadcaster();
  Broadcaster(const Broadcaster&) = delete;
  Broadcaster& operator=(const Broadcaster&) = delete;

  /// A place for one stream, and the promise that events of its order are kept from now on. Given back by
  /// destruction.
  class Watch {
   public:
    Watch(Watch&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)),
          order_id_(other.order_id_),
          client_(std::move(other.client_)),
          early_(other.early_) {}
    Watch& operator=(Watch&&) = delete;
    ~Watch() {
      if (owner_) owner_->unwatch(*this);
    }
    const Uuid& order_id() const { return order_id_; }

   private:
    friend class Broadcaster;
    Watch(Broadcaster* owner, const Uuid& order_id, std::string client, bool early)
        : owner_(owner), order_id_(order_id), client_(std::move(client)), early_(early) {}
    Broadcaster* owner_;
    Uuid order_id_;
    std::string client_;
    bool early_;  // the tail did not read yet: what comes before it does is to be read from history
  };
  enum class Refused { full, client_has_its_share };
  /// `full`: there are streams_max already, or the host is going down. `client` is whose share it counts by.
  /// Waits for nothing.
  [[nodiscard]] std::variant<Watch, Refused> watch(const Uuid& order_id, const std::string& client);

  struct Opening {
    std::unique_ptr<Client> client;
    Beginning beginning;
    /// Asked about twice a second while the stream is open: false ends it. Cheap; empty: always. [fan-out]
    std::function<bool()> permitted;
  };
  void open(Watch watch, Opening opening);
  const BroadcasterOptions& options() const { return options_; }
  /// Ends all streams, so that clients reconnect elsewhere, and refuses new ones.
  void close_all();

 private:
  void unwatch(const Watch& watch);
  void run_tail();
  bool rest_until_watched();
  void pass_on(const std::vector<bus::Record>& records);
  void repair();
  void compare_when_due();
  void lack(const Uuid& order_id, std::int32_t after);

  bus::EventBus& bus_;
  store::Pool& pool_;
  const BroadcasterOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  struct Watched {
    int watches = 0;
    std::int32_t newest = 0;  // the highest version that streams began with or were passed on
  };
  std::unordered_map<Uuid, Watched> watched_;       // guarded by mutex_
  std::unordered_map<Uuid, std::int32_t> lacking_;  // order: the version to read on behind; guarded by mutex_
  std::size_t streams_ = 0;                         // guarded by mutex_
  std::unordered_map<std::string, std::size_t> streams_by_client_;     // guarded by mutex_
  bool tailing_ = false, closed_ = false, ended_ = false;              // guarded by mutex_
  std::unique_ptr<bus::Subscription> subscription_;                    // the tail's; woken by all
  std::chrono::steady_clock::time_point compare_again_{}, rest_at_{};  // the tail's
  std::unique_ptr<FanOut> fan_out_;
  Worker tail_;
};

}  // namespace orderd::sse
