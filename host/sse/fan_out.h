#pragma once
// The open streams: gives each message to the clients of its order, keeps them alive in silence, and ends
// those whose key has ended. One thread, which never waits for a client: the sockets are http/front's.
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "base/worker.h"
#include "sse/broadcaster.h"
#include "sse/frame.h"

namespace orderd::sse {

/// Owned by the broadcaster. Its public functions only queue. [any thread]
class FanOut {
 public:
  /// A stream of `order_id` has `after` and cannot go on with what it was given. Called on the fan-out's
  /// thread.
  using OnGap = std::function<void(const Uuid& order_id, std::int32_t after)>;

  FanOut(const BroadcasterOptions& options, OnGap on_gap);
  ~FanOut();
  FanOut(const FanOut&) = delete;
  FanOut& operator=(const FanOut&) = delete;

  void open(Broadcaster::Watch watch, Broadcaster::Opening opening);
  /// `from_history`: nothing between these frames exists, so a hole among them is none.
  void publish(std::vector<Frame> frames, bool from_history);
  void close_all();

 private:
  using Clock = std::chrono::steady_clock;
  struct Stream {
    Broadcaster::Watch watch;
    std::unique_ptr<Client> client;
    std::function<bool()> permitted;
    std::int32_t version;  // the last one sent
    bool ended = false;
    Clock::time_point heartbeat_at{};
  };
  struct Command {
    enum class Kind { open, publish, close_all, end };
    Kind kind = Kind::end;
    std::unique_ptr<Stream> stream;
    Client::Bytes first;
    bool is_last = false;
    std::vector<Frame> frames;
    bool from_history = false;
  };

  void post(Command command);
  void run();
  /// False: end.
  bool obey(Command& command);
  void deliver(const Frame& frame, bool from_history);
  void send(Stream& stream, Client::Bytes bytes);
  void end(Stream& stream);
  void forget(Stream& stream);
  void tend();
  void sweep();

  const BroadcasterOptions options_;
  const OnGap on_gap_;
  const Client::Bytes heartbeat_;
  Metrics::Gauge& streams_gauge_;
  Metrics::Counter &messages_, &slow_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Command> inbox_;  // guarded by mutex_
  // The thread's alone:
  std::unordered_map<Stream*, std::unique_ptr<Stream>> streams_;
  std::unordered_map<Uuid, std::vector<Stream*>> by_order_;
  std::vector<Stream*> ended_;  // to be deleted at the end of the round
  Worker thread_;
};

}  // namespace orderd::sse
