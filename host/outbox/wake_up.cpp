#include "outbox/wake_up.h"

#include <poll.h>

#include "outbox/log.h"

namespace orderd::outbox {
namespace {

constexpr std::chrono::milliseconds notify_every{200}, look_every{250}, reconnect_after{1000};

}  // namespace

WakeUp::WakeUp(store::Pool& pool) {
  if (pool.options().pooled) return;
  listener_ = Worker("wake-up", [this, &pool](const std::stop_token& stop) { listen(stop, pool.options()); });
  notifier_ = Worker("wake-up", [this, &pool](const std::stop_token& stop) { notify(stop, pool); });
}

void WakeUp::notify(std::stop_token stop, store::Pool& pool) {
  std::uint64_t told = appended().count();
  while (!stop.stop_requested()) {
    appended().wait(told, look_every);
    const std::uint64_t count = appended().count();
    const bool news = count - told > heard_.exchange(0);
    told = count;
    if (!news) continue;
    try {
      pool.acquire()->script("notify orderd_log");
    } catch (const store::DbError&) {
      // The stages report a server that is away; here it is only a hint.
      appended().wait(appended().count(), reconnect_after);
    }
    // At most a few a second: the next one tells of everything until then.
    const auto until = std::chrono::steady_clock::now() + notify_every;
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < until)
      appended().wait(appended().count(), std::chrono::duration_cast<std::chrono::milliseconds>(
                                              until - std::chrono::steady_clock::now()));
  }
}

void WakeUp::listen(std::stop_token stop, const store::ConnectionOptions& options) {
  std::unique_ptr<store::Connection> connection;
  while (!stop.stop_requested()) {
    try {
      if (!connection || !connection->usable()) {
        connection = std::make_unique<store::Connection>(options);
        connection->script("listen orderd_log");
      }
      pollfd socket{PQsocket(connection->raw()), POLLIN, 0};
      if (::poll(&socket, 1, static_cast<int>(look_every.count())) <= 0) continue;
      if (PQconsumeInput(connection->raw()) != 1) {
        connection.reset();
        continue;
      }
      bool others = false;
      while (PGnotify* notification = PQnotifies(connection->raw())) {
        others = true;
        PQfreemem(notification);
      }
      if (!others) continue;
      ++heard_;
      appended().raise();
    } catch (const store::DbError&) {
      connection.reset();
      appended().wait(appended().count(), reconnect_after);
    }
  }
}

}  // namespace orderd::outbox
