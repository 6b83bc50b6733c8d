// Streamed answers: what their owners append, as far as their clients take it.
#include <sys/socket.h>

#include <cerrno>
#include <limits>

#include "http/front/io_loop.h"

namespace orderd::http::front {
namespace {

using Stage = Connection::Stage;

constexpr std::int64_t never_ms = std::numeric_limits<std::int64_t>::max();
constexpr int dropped_reads_max = 4;  // per round, of one stream

/// A client has nothing to say on a stream: what it says is dropped, and its end is the stream's. False: it
/// has ended.
template <typename Buffer>
bool is_still_there(Connection& connection, Buffer& dropped) {
  for (int reads = 0; connection.readable && reads < dropped_reads_max; ++reads) {
    const ssize_t size = ::recv(connection.fd, dropped.data(), dropped.size(), 0);
    if (size > 0 || (size < 0 && errno == EINTR)) continue;
    if (size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return false;
    connection.readable = false;
  }
  return true;
}

}  // namespace

/// The connection is the stream's from now on: it counts no longer against the caps.
void IoLoop::begin_stream(Connection& connection, Exchange& exchange) {
  connection.stage = Stage::streaming;
  connection.is_stream = true;
  ++streams_;
  context_->connections.Decrement();
  if (connection.counted) caps_.remove(*connection.counted);
  connection.counted.reset();
  connection.parser.reset();
  connection.out = exchange.take_bytes();
  connection.out_sent = 0;
  connection.deadline_ms = never_ms;
  const int size = exchange.stream()->limits().send_buffer_bytes;
  ::setsockopt(connection.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

IoLoop::Progress IoLoop::stream(Connection& connection) {
  StreamQueue& queue = *connection.exchange->stream();
  const StreamedAnswer::State state = queue.take(connection.chunks);
  if (state == StreamedAnswer::State::slow || !is_still_there(connection, received_)) {
    close(connection);
    return Progress::waits;
  }
  for (;;) {
    const bool head = !connection.out.empty();
    if (!head && connection.chunks.empty()) break;
    const std::string& bytes = head ? connection.out : *connection.chunks.front();
    if (connection.out_sent == bytes.size()) {
      connection.out_sent = 0;
      if (head)
        std::string().swap(connection.out);
      else
        connection.chunks.pop_front();
      continue;
    }
    if (!connection.writable) return Progress::waits;
    const ssize_t size = ::send(connection.fd, bytes.data() + connection.out_sent,
                                bytes.size() - connection.out_sent, MSG_NOSIGNAL);
    if (size >= 0) {
      connection.out_sent += static_cast<std::size_t>(size);
      if (!head) queue.sent(static_cast<std::size_t>(size));
      connection.deadline_ms = never_ms;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      connection.writable = false;
      if (connection.deadline_ms == never_ms)
        connection.deadline_ms = monotonic_ms() + queue.limits().stall_timeout_ms;
    } else if (errno != EINTR) {
      close(connection);
      return Progress::waits;
    }
  }
  connection.deadline_ms = never_ms;
  if (state != StreamedAnswer::State::ended) return Progress::waits;
  ::shutdown(connection.fd, SHUT_WR);
  connection.stage = Stage::lingering;
  connection.deadline_ms = monotonic_ms() + context_->options.linger_timeout_ms;
  return Progress::goes_on;
}

}  // namespace orderd::http::front
