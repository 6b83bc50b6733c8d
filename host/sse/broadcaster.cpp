#include "sse/broadcaster.h"

#include "base/log.h"
#include "outbox/log.h"
#include "sse/fan_out.h"

namespace orderd::sse {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t records_max = 512;
constexpr milliseconds poll_wait{250};
/// How long the tail goes on reading when the last stream has gone: pages that reload should not make it stop
/// and start.
constexpr std::chrono::seconds rest_after{10};

constexpr store::Statement read_versions{"read_versions",
                                         "select id, version from order_state where id = any($1::uuid[])"};

}  // namespace

Broadcaster::Broadcaster(bus::EventBus& bus, store::Pool& pool, BroadcasterOptions options)
    : bus_(bus),
      pool_(pool),
      options_(options),
      subscription_(bus_.subscribe("")),
      fan_out_(std::make_unique<FanOut>(options_,
                                        [this](const Uuid& id, std::int32_t after) { lack(id, after); })),
      tail_("sse", [this](const std::stop_token&) { run_tail(); }) {}

Broadcaster::~Broadcaster() {
  {
    std::lock_guard lock(mutex_);
    closed_ = ended_ = true;
  }
  changed_.notify_all();
  subscription_->wake();
  tail_.join();
  fan_out_.reset();
}

std::variant<Broadcaster::Watch, Broadcaster::Refused> Broadcaster::watch(const Uuid& order_id,
                                                                          const std::string& client) {
  std::lock_guard lock(mutex_);
  if (closed_ || streams_ >= options_.streams_max) return Refused::full;
  std::size_t& of_client = streams_by_client_[client];
  if (of_client >= options_.streams_per_client_max) return Refused::client_has_its_share;
  ++of_client;
  ++streams_;
  ++watched_[order_id].watches;
  changed_.notify_all();
  return Watch(this, order_id, client, !tailing_);
}

void Broadcaster::unwatch(const Watch& watch) {
  std::lock_guard lock(mutex_);
  --streams_;
  const auto of_client = streams_by_client_.find(watch.client_);
  if (--of_client->second == 0) streams_by_client_.erase(of_client);
  const auto found = watched_.find(watch.order_id_);
  if (--found->second.watches == 0) watched_.erase(found);
}

void Broadcaster::open(Watch watch, Opening opening) {
  const Uuid id = watch.order_id();
  const std::int32_t version = opening.beginning.version;
  bool lacks = false;
  {
    std::unique_lock lock(mutex_);
    if (closed_) {
      lock.unlock();
      opening.client->end();
      return;
    }
    Watched& watched = watched_.at(id);
    const bool differs = watched.newest != 0 && watched.newest != version;
    lacks = differs || watch.early_;
    if (lacks) {
      // Either this stream missed what was passed on before, or its history is ahead of what the others were
      // given, or nobody read what came behind its history.
      const std::int32_t after = differs ? std::min(watched.newest, version) : version;
      const auto entry = lacking_.emplace(id, after).first;
      entry->second = std::min(entry->second, after);
    }
    watched.newest = std::max(watched.newest, version);
    // In this lock, so that no version passed on after it reaches the fan-out before the stream does.
    fan_out_->open(std::move(watch), std::move(opening));
  }
  if (lacks) subscription_->wake();
}

void Broadcaster::close_all() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  fan_out_->close_all();
}

void Broadcaster::lack(const Uuid& order_id, std::int32_t after) {
  {
    std::lock_guard lock(mutex_);
    const auto entry = lacking_.emplace(order_id, after).first;
    entry->second = std::min(entry->second, after);
  }
  subscription_->wake();
}

void Broadcaster::run_tail() {
  while (rest_until_watched()) {
    const auto records = subscription_->poll(records_max, poll_wait);
    {
      std::lock_guard lock(mutex_);
      tailing_ = true;
    }
    changed_.notify_all();
    pass_on(records);
    try {
      repair();
      compare_when_due();
    } catch (const std::exception& error) {
      // What is lacking stays noted, or is found again by the next comparison.
      log_warning("sse", "history could not be read, trying again", {{"error", error.what()}});
      compare_again_ = steady_clock::now() + milliseconds(options_.compare_interval_ms);
    }
  }
}

bool Broadcaster::rest_until_watched() {
  std::unique_lock lock(mutex_);
  if (ended_) return false;
  if (tailing_ && (!watched_.empty() || steady_clock::now() < rest_at_)) {
    if (!watched_.empty()) rest_at_ = steady_clock::now() + rest_after;
    return true;
  }
  if (tailing_) {
    tailing_ = false;
    for (std::int32_t partition = 0; partition < options_.partitions; ++partition)
      subscription_->stop(partition);
  }
  changed_.wait(lock, [&] { return ended_ || !watched_.empty(); });
  if (ended_) return false;
  for (std::int32_t partition = 0; partition < options_.partitions; ++partition)
    subscription_->start_at_end(partition);
  subscription_->wake();  // the first poll only finds the ends and returns
  rest_at_ = steady_clock::now() + rest_after;
  return true;
}

void Broadcaster::pass_on(const std::vector<bus::Record>& records) {
  std::vector<Frame> frames;
  std::unique_lock lock(mutex_);
  for (const bus::Record& record : records) {
    const auto watched = watched_.find(record.event.order_id);
    if (watched == watched_.end() || !record.poison.empty()) continue;
    auto one = frame(record.event);
    if (!one) continue;
    watched->second.newest = std::max(watched->second.newest, one->version);
    frames.push_back(std::move(*one));
  }
  fan_out_->publish(std::move(frames), false);
}

void Broadcaster::repair() {
  std::unordered_map<Uuid, std::int32_t> lacking;
  {
    std::lock_guard lock(mutex_);
    lacking.swap(lacking_);
  }
  if (lacking.empty()) return;
  auto connection = pool_.acquire();
  for (const auto& [id, after] : lacking) {
    std::vector<Frame> frames;
    for (const auto& entry : outbox::history(*connection, id, after))
      if (auto one = frame(entry.event)) frames.push_back(std::move(*one));
    std::lock_guard lock(mutex_);
    const auto watched = watched_.find(id);
    if (watched == watched_.end() || frames.empty()) continue;
    watched->second.newest = std::max(watched->second.newest, frames.back().version);
    fan_out_->publish(std::move(frames), true);
  }
}

void Broadcaster::compare_when_due() {
  const auto at = steady_clock::now();
  if (at < compare_again_) return;
  compare_again_ = at + milliseconds(options_.compare_interval_ms);
  std::vector<Uuid> ids;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, watched] : watched_) ids.push_back(id);
  }
  if (ids.empty()) return;
  {
    auto connection = pool_.acquire();
    const store::Rows rows = connection->run(read_versions, store::Args().uuids(ids));
    std::lock_guard lock(mutex_);
    for (int i = 0; i < rows.size(); ++i) {
      const auto watched = watched_.find(rows.uuid(i, 0));
      if (watched == watched_.end() || watched->second.newest == 0 ||
          rows.integer(i, 1) <= watched->second.newest)
        continue;
      const auto entry = lacking_.emplace(watched->first, watched->second.newest).first;
      entry->second = std::min(entry->second, watched->second.newest);
    }
  }
  repair();
}

}  // namespace orderd::sse
