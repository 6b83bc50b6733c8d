#include "base/log_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "base/descriptor.h"
#include "base/metrics.h"

namespace orderd {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t write_bytes_max = 4096;  // a pipe that poll() calls writable takes as many
constexpr int look_ms = 1000, pause_ms = 10;
constexpr const char* journal_path = "/run/systemd/journal/socket";

/// One that no other process sees as non-blocking: of pipes and terminals another description can be opened.
int own_description(int descriptor) {
  struct stat kind {};
  if (fstat(descriptor, &kind) != 0 || !(S_ISFIFO(kind.st_mode) || S_ISCHR(kind.st_mode))) return -1;
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  return open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

bool is_socket(int descriptor) {
  struct stat kind {};
  return fstat(descriptor, &kind) == 0 && S_ISSOCK(kind.st_mode);
}

bool is_writable(int descriptor, int wait_ms) {
  pollfd one{descriptor, POLLOUT, 0};
  return poll(&one, 1, wait_ms) > 0;
}

/// journald's native protocol: NAME=value, or with the value's length where it has several lines.
std::string datagram(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (value.find('\n') == value.npos) {
      out.append(name).append("=").append(value).append("\n");
      continue;
    }
    out.append(name).append("\n");
    for (std::uint64_t left = value.size(), i = 0; i < 8; ++i, left >>= 8)
      out.push_back(static_cast<char>(left & 0xff));
    out.append(value).append("\n");
  }
  return out;
}

}  // namespace

/// Shared with the thread that waits for a reader, which may outlive the sink.
struct LogSink::State : std::enable_shared_from_this<State> {
  struct Kept {
    std::string bytes;
    bool for_journal = false;
  };
  State(int given, std::function<std::string(std::uint64_t)> lost_line)
      : descriptor(given),
        own(own_description(given)),
        socket(is_socket(given)),
        lost(std::move(lost_line)) {}
  ~State() {
    if (journal >= 0) close(journal);
  }

  int out() const { return own.number() >= 0 ? own.number() : descriptor; }
  /// What of it was taken; negative when nothing is for now.
  ssize_t try_write(const char* bytes, std::size_t size) {
    if (socket) return send(descriptor, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (own.number() >= 0) return write(own.number(), bytes, size);
    if (!is_writable(descriptor, 0)) return errno = EAGAIN, -1;
    return write(descriptor, bytes, std::min(size, write_bytes_max));
  }
  /// A journald that was started anew is spoken to again.
  bool give_to_journal(const std::string& bytes) {
    for (int attempt = 0; attempt < 2 && connect_journal(); ++attempt) {
      if (send(journal, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
      close(std::exchange(journal, -1));
    }
    return true;
  }
  bool connect_journal() {
    if (journal >= 0) return true;
    journal = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, journal_path);
    if (journal >= 0 && connect(journal, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return true;
    if (journal >= 0) close(std::exchange(journal, -1));
    return false;
  }
  /// True when this one is done with, taken or not.
  bool give(Kept& one) {
    if (one.for_journal) return give_to_journal(one.bytes);
    while (!one.bytes.empty()) {
      const ssize_t taken = try_write(one.bytes.data(), one.bytes.size());
      if (taken < 0 && errno == EINTR) continue;
      if (taken < 0) return errno != EAGAIN && errno != EWOULDBLOCK;  // else nobody is there to read
      one.bytes.erase(0, static_cast<std::size_t>(taken));
    }
    return true;
  }
  void give_all() {
    while (!kept.empty()) {
      const std::size_t before = kept.front().bytes.size();
      const bool done = give(kept.front());
      kept_bytes -= done ? before : before - kept.front().bytes.size();
      if (!done) return;
      kept.pop_front();
    }
    if (dropped == 0) return;
    Kept one{lost(dropped)};
    dropped = 0;
    kept_bytes += one.bytes.size();
    kept.push_back(std::move(one));
    give_all();
  }
  void put(Kept one) {
    if (kept_bytes + one.bytes.size() > log_kept_bytes_max) {
      ++dropped;
      dropped_ever.Increment();
    } else {
      kept_bytes += one.bytes.size();
      kept.push_back(std::move(one));
    }
    give_all();
    if (!kept.empty() && !waits) wait_for_reader();
  }
  /// The only thread that waits; it ends once all is taken.
  void wait_for_reader() {
    waits = true;
    std::thread([state = shared_from_this()] {
      for (;;) {
        state->wait(look_ms);
        poll(nullptr, 0, pause_ms);
        const std::lock_guard lock(state->mutex);
        state->give_all();
        state->waits = !state->kept.empty() && !state->closed;
        if (!state->waits) return;
      }
    }).detach();
  }
  void wait(int most_ms) {
    std::unique_lock lock(mutex);
    const bool for_journal = !kept.empty() && kept.front().for_journal;
    const int from = for_journal ? journal : out();
    lock.unlock();
    is_writable(from, most_ms);
  }

  std::mutex mutex;
  const int descriptor;
  const Descriptor own;
  const bool socket;
  const std::function<std::string(std::uint64_t)> lost;
  int journal = -1;
  std::deque<Kept> kept;
  std::size_t kept_bytes = 0;
  std::uint64_t dropped = 0;
  bool waits = false, closed = false;
  Metrics::Counter& dropped_ever =
      metrics().counter("orderd_log_lines_dropped_total", "Lines of the log that nobody read in time");
};

LogSink::LogSink(int descriptor, std::function<std::string(std::uint64_t)> lost)
    : state_(std::make_shared<State>(descriptor, std::move(lost))) {}

LogSink::~LogSink() {
  const std::lock_guard lock(state_->mutex);
  state_->closed = true;
}

void LogSink::put(std::string line) {
  const std::lock_guard lock(state_->mutex);
  state_->put({std::move(line)});
}

bool LogSink::put(const std::vector<std::pair<std::string, std::string>>& fields) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->connect_journal()) return false;
  state_->put({datagram(fields), true});
  return true;
}

void LogSink::flush(int most_ms) {
  const auto end = steady::now() + std::chrono::milliseconds(most_ms);
  for (;;) {
    {
      const std::lock_guard lock(state_->mutex);
      state_->give_all();
      if (state_->kept.empty() || steady::now() >= end) return;
    }
    state_->wait(pause_ms);
    poll(nullptr, 0, pause_ms);
  }
}

}  // namespace orderd
