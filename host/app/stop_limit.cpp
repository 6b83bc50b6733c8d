#include "app/stop_limit.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/service.h"
#include "store/connection.h"

namespace orderd {
namespace {

constexpr int exit_forced = 70;  // sysexits.h: EX_SOFTWARE
constexpr char forced_text[] =
    "orderd: the stop took too long, ending by force; what hangs is taken up again\n";

/// For what stages write when their drain time is over, such as giving leases back.
constexpr std::chrono::seconds last_writes{2};

std::atomic<std::int64_t> drain_ms{0};

std::atomic<std::chrono::steady_clock::time_point> drained_at{std::chrono::steady_clock::time_point::max()};

void begin() {
  const std::chrono::milliseconds drain(drain_ms.load());
  drained_at = std::chrono::steady_clock::now() + drain;
  store::stop_waiting_at(drained_at.load() + last_writes);
  std::thread([drain] {
    std::this_thread::sleep_for(drain + stop_slack);
    // Without the log, whose lock may be a part of what hangs.
    pollfd err{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&err, 1, 0) == 1) {
      [[maybe_unused]] const auto written = ::write(STDERR_FILENO, forced_text, sizeof forced_text - 1);
    }
    ::_exit(exit_forced);
  }).detach();
}

}  // namespace

void limit_stop(std::chrono::milliseconds drain) {
  drain_ms = drain.count();
  service::on_stop(begin);
}

std::chrono::milliseconds drain_left() {
  const auto left = drained_at.load() - std::chrono::steady_clock::now();
  return std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(left), std::chrono::milliseconds(0),
                    std::chrono::milliseconds(drain_ms.load()));
}

}  // namespace orderd
