#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/queue.h"
#include "http/front/connection.h"
#include "http/front/connection_limits.h"
#include "http/front/context.h"
#include "http/front/listener.h"
#include "http/front/unsent_bytes.h"

namespace orderd::http::front {

using WorkQueue = BoundedQueue<std::shared_ptr<Exchange>>;
/// To the workers, and to those for Lane::apart.
struct Work {
  WorkQueue &ordinary, &apart;
};

/// The I/O thread: accepts, reads, checks, hands complete requests to the workers, writes their answers and
/// keeps all deadlines. Owned by Front; `run()` is the thread, everything else happens before it or after.
class IoLoop {
 public:
  IoLoop(std::shared_ptr<Context> context, Work work, Poco::Net::HTTPRequestHandlerFactory::Ptr factory);
  /// Closes what is left; no worker may run any more.
  ~IoLoop();

  /// Until the front is drained, or its patience ends.
  void run();
  bool all_answered() const { return connections_.empty(); }

 private:
  enum class Progress { goes_on, waits };  // of one step of a connection

  void watch(int fd, std::uint32_t events, void* tag);
  void forget(int fd);
  void handle_events(int timeout_ms);
  void take_returned();

  /// False once no connection waits.
  bool accept_some();
  void admit(Listener::Accepted accepted);
  void turn_away(int fd, std::string_view why);
  void pause_accepting();
  void stop_accepting();

  void advance(Connection& connection);
  Progress read(Connection& connection);
  Progress parse(Connection& connection);
  Progress write(Connection& connection);
  Progress linger(Connection& connection);
  Progress stream(Connection& connection);
  void begin_stream(Connection& connection, Exchange& exchange);
  void dispatch(Connection& connection);
  Progress send_continue(Connection& connection);
  void refuse(Connection& connection, const Context::Answer& answer);
  void start_writing(Connection& connection, std::string bytes, bool close);
  void uncount(Connection& connection);
  void close(Connection& connection);

  void keep_deadlines(std::int64_t now_ms);
  void expire(Connection& connection, std::int64_t now_ms);
  void part(Connection& connection, std::int64_t now_ms);
  void give_up(Connection& connection);

  const std::shared_ptr<Context> context_;
  const Work work_;
  Poco::Net::HTTPRequestHandlerFactory::Ptr factory_;  // of what runs on this thread
  Listener listener_;
  ConnectionLimits caps_;
  UnsentBytes unsent_;
  const int epoll_fd_;
  bool accepting_ = false;
  std::vector<std::unique_ptr<Connection>> connections_, closed_;
  std::size_t streams_ = 0;  // of the connections
  CompletionQueue::Items returned_;
  std::int64_t kept_ms_ = 0;  // when the deadlines were last kept
  std::array<char, 64 * 1024> received_;
};

}  // namespace orderd::http::front
