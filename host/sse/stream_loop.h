#pragma once
// The sockets of all streams, on one epoll thread that never waits for anybody: what a client does not take
// is kept up to a limit, then the client is disconnected and resumes by id.
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "sse/broadcaster.h"
#include "sse/frame.h"

namespace orderd::sse {

/// Owned by the broadcaster. Its public functions only queue. [any thread]
class StreamLoop {
 public:
  /// A stream of `order_id` has `after` and cannot go on with what it was given. Called on the loop's thread.
  using OnGap = std::function<void(const Uuid& order_id, std::int32_t after)>;

  StreamLoop(const BroadcasterOptions& options, OnGap on_gap);
  ~StreamLoop();
  StreamLoop(const StreamLoop&) = delete;
  StreamLoop& operator=(const StreamLoop&) = delete;

  void open(Broadcaster::Watch watch, Broadcaster::Opening opening);
  /// `from_history`: nothing between these frames exists, so a hole among them is none.
  void publish(std::vector<Frame> frames, bool from_history);
  void close_all();

 private:
  using Bytes = std::shared_ptr<const std::string>;  // shared by the streams of one order
  struct Stream {
    Stream(Broadcaster::Watch given_watch, Broadcaster::Opening& opening)
        : watch(std::move(given_watch)),
          fd(opening.fd),
          permitted(std::move(opening.permitted)),
          version(opening.beginning.version),
          ending(opening.beginning.ends) {}
    const Broadcaster::Watch watch;
    const int fd;
    const std::function<bool()> permitted;
    std::int32_t version;  // the last one sent, or waiting to be
    bool ending;           // closed when `out` is empty
    bool closed = false;
    bool awaits_room = false;  // EPOLLOUT is asked for
    std::deque<Bytes> out;
    std::size_t out_bytes = 0, front_sent = 0;
    std::int64_t heartbeat_at_ms = 0, stalled_at_ms = 0;
  };
  struct Command {
    enum class Kind { open, publish, close_all, end };
    Kind kind = Kind::end;
    std::unique_ptr<Stream> stream;
    Bytes first;
    std::vector<Frame> frames;
    bool from_history = false;
  };

  void post(Command command);
  void run();
  /// False: end.
  bool obey(Command& command);
  void add(std::unique_ptr<Stream> stream, Bytes first);
  void deliver(const Frame& frame, bool from_history);
  void send(Stream& stream, Bytes bytes);
  void flush(Stream& stream);
  void drain_input(Stream& stream);
  void ask_for_room(Stream& stream, bool wanted);
  void tend(std::int64_t now_ms);
  void close(Stream& stream);
  void sweep();

  const BroadcasterOptions options_;
  const OnGap on_gap_;
  const int epoll_, wake_;
  const Bytes heartbeat_;
  Metrics::Gauge& streams_gauge_;
  Metrics::Counter &messages_, &slow_;
  std::mutex mutex_;
  std::vector<Command> inbox_;  // guarded by mutex_
  // The loop's thread alone:
  std::unordered_map<Stream*, std::unique_ptr<Stream>> streams_;
  std::unordered_map<Uuid, std::vector<Stream*>> by_order_;
  std::vector<Stream*> closed_;  // to be deleted at the end of the round
  std::thread thread_;
};

}  // namespace orderd::sse
