#include "bus/pglog/pglog_bus.h"

#include <algorithm>
#include <atomic>
#include <map>

#include "base/log.h"
#include "outbox/log.h"

namespace orderd::bus {
namespace {

/// Polling is the guarantee, signals only make it quick.
constexpr std::chrono::milliseconds poll_interval{50};
constexpr std::chrono::milliseconds reconnect_interval{500};

class PglogSubscription final : public Subscription {
 public:
  PglogSubscription(store::ConnectionOptions options, std::string consumer)
      : options_(std::move(options)), consumer_(std::move(consumer)) {}

  void start(std::int32_t partition, Position after) override {
    after_[static_cast<std::int16_t>(partition)] = after;
  }
  void start_at_end(std::int32_t partition) override {
    after_[static_cast<std::int16_t>(partition)] = at_end;
  }
  void stop(std::int32_t partition) override { after_.erase(static_cast<std::int16_t>(partition)); }
  std::int64_t lag() override {
    if (!connection_ || !connection_->usable()) return 0;
    try {
      const auto ends = outbox::ends(*connection_);
      std::int64_t lag = 0;
      for (const auto& [shard, after] : after_)
        if (after != at_end) lag += ends.at(static_cast<std::size_t>(shard)) - std::max<Position>(after, 0);
      return lag;
    } catch (const store::DbError&) { return 0; }  // the next read says so
  }
  void saved(std::int32_t, Position) override {}  // the saved position is the lag tool's source, too
  void wake() override {
    woken_ = true;
    outbox::appended().raise();
  }

  std::vector<Record> poll(std::size_t max, std::chrono::milliseconds timeout) override {
    const auto end = std::chrono::steady_clock::now() + timeout;
    for (;;) {
      const auto seen = outbox::appended().count();
      auto records = read(max);
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (!records.empty() || woken_.exchange(false) || left.count() <= 0) return records;
      outbox::appended().wait(seen, std::min(left, broken_ ? reconnect_interval : poll_interval));
    }
  }

 private:
  static constexpr Position at_end = -2;  // find out at the next read

  std::vector<Record> read(std::size_t max) {
    try {
      if (!connection_ || !connection_->usable()) connection_ = std::make_unique<store::Connection>(options_);
      resolve_ends();
      std::vector<outbox::From> from;
      for (const auto& [shard, after] : after_) from.push_back({shard, after});
      if (from.empty()) return {};
      // The first shard read has an advantage when there is more than `max`: take turns.
      std::rotate(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(turn_++ % from.size()),
                  from.end());
      auto entries = outbox::read(*connection_, from, static_cast<int>(max));
      if (broken_) log_info("pglog", "reading again", {{"consumer", consumer_}});
      broken_ = false;
      std::vector<Record> records;
      records.reserve(entries.size());
      for (auto& entry : entries) {
        after_[entry.shard] = entry.pos;
        records.push_back({entry.shard, entry.pos, std::move(entry.event), {}});
      }
      return records;
    } catch (const store::DbError& error) {
      if (!broken_)
        log_warning("pglog", "cannot read the log, trying again",
                    {{"consumer", consumer_}, {"error", error.what()}});
      broken_ = true;
      connection_.reset();
      return {};
    }
  }

  void resolve_ends() {
    const bool wanted =
        std::any_of(after_.begin(), after_.end(), [](const auto& one) { return one.second == at_end; });
    if (!wanted) return;
    const auto ends = outbox::ends(*connection_);
    for (auto& [shard, after] : after_)
      if (after == at_end) after = ends.at(static_cast<std::size_t>(shard));
  }

  const store::ConnectionOptions options_;
  const std::string consumer_;
  std::unique_ptr<store::Connection> connection_;
  std::map<std::int16_t, Position> after_;
  std::size_t turn_ = 0;
  bool broken_ = false;
  std::atomic<bool> woken_{false};
};

}  // namespace

std::unique_ptr<Subscription> PglogBus::subscribe(const std::string& consumer) {
  return std::make_unique<PglogSubscription>(options_, consumer);
}

}  // namespace orderd::bus
