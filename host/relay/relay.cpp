#include "relay/relay.h"

#include <algorithm>
#include <utility>

#include "base/fault.h"
#include "base/log.h"
#include "outbox/marks.h"

namespace orderd::relay {
namespace {

constexpr int events_per_read_max = 1024;
constexpr std::chrono::milliseconds save_every{200}, poll_every{50}, rest_least{500};
constexpr std::chrono::milliseconds report_wait{1};

constexpr store::Statement read_parked{"relay_parked",
                                       "select distinct order_id from parked where consumer = $1"};
constexpr store::Statement read_lag{"relay_lag",
                                    "select coalesce(sum(l.last - greatest(p.pos, 0)), 0)::int8 from "
                                    "log_shard l join positions p using (shard) where consumer = $1"};

}  // namespace

Relay::Relay(store::ConnectionOptions options, outbox::LeaseOptions leases,
             std::unique_ptr<bus::Publisher> publisher)
    : Consumer({"relay", std::move(options), std::move(leases)}),
      publisher_(std::move(publisher)),
      published_(metrics().counter("orderd_relay_published_total", "Events that the broker acknowledged")),
      lag_(metrics().gauge(bus::lag_name, bus::lag_help, {{"consumer", "relay"}})),
      parked_(metrics().counter("orderd_relay_parked_total", "Events that the broker refused")) {}

std::chrono::milliseconds Relay::pace() const { return poll_every; }

void Relay::work(std::chrono::milliseconds wait) {
  const auto seen = outbox::appended().count();
  const bool busy = publish();
  progress(publisher_->poll(std::chrono::milliseconds(0)));
  if (acknowledged_ != handed_over_) {
    // Deliveries are under way: their reports are the next thing to happen, new events the one after. A
    // broker that is away takes nothing and reports nothing: then there is no hurry.
    if (!busy) progress(publisher_->poll(waiting_.empty() ? report_wait : poll_every));
    if (Clock::now() - saved_ >= save_every) save();
  } else if (!busy) {
    save();
    outbox::appended().wait(seen, wait);
  }
}

void Relay::rest(std::chrono::milliseconds wait) {
  outbox::appended().wait(outbox::appended().count(), std::max(wait, rest_least));
}

/// What was acknowledged meanwhile need not be sent again by the next owner.
void Relay::finish() {
  progress(publisher_->poll(save_every));
  save();
}

void Relay::maintain(const outbox::Leases::Change& change) {
  for (const std::int16_t shard : change.lost) {
    handed_over_.erase(shard);
    acknowledged_.erase(shard);
    std::erase_if(waiting_, [&](const auto& one) { return one.partition == shard; });
    std::erase_if(in_flight_, [&](const auto& one) { return one.first.first == shard; });
  }
  if (!change.lost.empty()) {  // a letter of a shard that was lost is the next owner's
    if (replaying_) waiting_.clear();
    forget_replays();
  }
  for (const std::int16_t shard : change.gained)
    handed_over_[shard] = acknowledged_[shard] = leases_.held().at(shard).pos;
  if (!change.gained.empty()) {
    const auto rows = session().run(read_parked, store::Args().text(name()));
    for (int i = 0; i < rows.size(); ++i) parked_orders_.insert(rows.uuid(i, 0));
  }
  if (!parked_orders_.empty()) {
    store::UnitOfWork work(session());
    outbox::mark_attention(work, name());
    work.commit();
  }
  epoch_ = outbox::epoch(session()).id;
  look_for_replays();
  lag_.Set(static_cast<double>(session().run(read_lag, store::Args().text(name())).integer(0, 0)));
}

/// Reads on and hands over; false when there was nothing to read.
bool Relay::publish() {
  if (!replays_.empty() && !replaying_ && waiting_.empty() && in_flight_.empty()) begin_replay();
  if (waiting_.empty() && replays_.empty()) {
    std::vector<outbox::From> from;
    for (const auto& [shard, pos] : handed_over_)
      if (!is_under_way(shard)) from.push_back({shard, pos});
    if (from.empty()) return false;
    // The shard that is read first has an advantage when there is more than one read takes: take turns.
    std::rotate(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(turn_++ % from.size()), from.end());
    for (auto& entry : outbox::read(session(), from, events_per_read_max)) {
      handed_over_[entry.shard] = entry.pos;
      waiting_.push_back({entry.shard, entry.pos, std::move(entry.event), epoch_});
    }
  }
  // An order may have been parked since these were read.
  std::erase_if(waiting_, [&](const auto& one) { return park_follower(one); });
  if (!waiting_.empty()) ORDERD_FAULT_POINT("relay.before_publish");
  const std::size_t taken = publisher_->publish(waiting_);
  if (taken > 0) ORDERD_FAULT_POINT("relay.after_publish");
  if (fault::mutation("relay_before_report")) acknowledged_ = handed_over_;
  for (std::size_t i = 0; i < taken; ++i)
    in_flight_[{static_cast<std::int16_t>(waiting_[i].partition), waiting_[i].outbox_position}] = {
        waiting_[i].event.order_id, waiting_[i].event.version};
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(taken));
  return taken > 0;
}

bool Relay::is_under_way(std::int16_t shard) const {
  const auto first = in_flight_.lower_bound({shard, 0});
  return first != in_flight_.end() && first->first.first == shard;
}

void Relay::look_for_replays() {
  std::set<std::int16_t> shards;
  for (const auto& [shard, position] : handed_over_) shards.insert(shard);
  if (replays_.empty()) replays_ = outbox::replays(session(), name(), shards);
}

/// What the broker refused goes out again, an order's letters in order of version, before anything newer.
void Relay::begin_replay() {
  replaying_ = true;
  for (const outbox::Replay& one : replays_) {
    parked_orders_.erase(one.order_id);
    for (auto& entry : outbox::history(session(), one.order_id, one.from_version - 1))
      if (entry.event.version <= one.to_version)
        waiting_.push_back({entry.shard, entry.pos, std::move(entry.event), epoch_});
  }
}

/// Later events of a parked order go to the same place, so that first occurrences stay in order.
bool Relay::park_follower(const bus::Outgoing& one) {
  if (!parked_orders_.contains(one.event.order_id)) return false;
  parking_.push_back({one.event.order_id, one.event.version, static_cast<std::int16_t>(one.partition),
                      one.outbox_position, "an earlier event of this order is parked"});
  return true;
}

void Relay::progress(const bus::Publisher::Progress& progress) {
  for (const auto& refused : progress.refused) {
    const auto shard = static_cast<std::int16_t>(refused.partition);
    const auto found = in_flight_.find({shard, refused.outbox_position});
    if (found == in_flight_.end()) continue;
    ++refused_;
    parked_orders_.insert(found->second.first);
    parking_.push_back(
        {found->second.first, found->second.second, shard, refused.outbox_position, refused.reason});
    log_error("relay", "the broker refuses an event; its order is parked",
              {{"order", found->second.first.to_string()}, {"reason", refused.reason}});
  }
  for (const auto& [partition, position] : progress.acknowledged) {
    const auto shard = static_cast<std::int16_t>(partition);
    const auto found = acknowledged_.find(shard);
    if (found == acknowledged_.end()) continue;
    const auto from = in_flight_.lower_bound({shard, -1}), to = in_flight_.upper_bound({shard, position});
    published_.Increment(static_cast<double>(std::distance(from, to)));
    in_flight_.erase(from, to);
    found->second = std::max(found->second, position);
  }
  // Nothing of a shard is on its way: what was passed over at the end is settled, too.
  if (in_flight_.empty() && waiting_.empty()) acknowledged_ = handed_over_;
  if (!progress.restart) return;
  log_warning("relay", "the publisher began anew, sending again behind the acknowledged positions");
  handed_over_ = acknowledged_;
  in_flight_.clear();
  waiting_.clear();
  forget_replays();
}

void Relay::forget_replays() {
  for (const outbox::Replay& one : replays_) parked_orders_.insert(one.order_id);
  replays_.clear();
  replaying_ = false;
}

void Relay::save() {
  std::map<std::int16_t, std::int64_t> to;
  for (const auto& [shard, position] : acknowledged_)
    if (leases_.held().contains(shard) && leases_.held().at(shard).pos < position) to[shard] = position;
  saved_ = Clock::now();
  const bool replayed = replaying_ && waiting_.empty() && in_flight_.empty();
  if (to.empty() && parking_.empty() && !replayed) return;
  // Their rows go only now that the broker has them; until then new letters of their orders wait with them.
  if (replaying_ && !replayed) return;
  store::UnitOfWork work(session());
  leases_.advance(work, to);
  if (replayed)
    for (const outbox::Replay& one : replays_) {
      outbox::unpark(work, name(), one.order_id);
      outbox::unmark_attention(work, one.order_id);
    }
  outbox::park(work, name(), parking_);
  ORDERD_FAULT_POINT("relay.before_commit");
  work.commit();
  ORDERD_FAULT_POINT("relay.after_commit");
  parked_.Increment(static_cast<double>(std::exchange(refused_, 0)));
  parking_.clear();
  if (replayed) {
    replays_.clear();
    replaying_ = false;
  }
  for (const auto& [shard, position] : to) leases_.held().at(shard).pos = position;
}

void Relay::forget(const std::vector<std::int16_t>&) {
  handed_over_.clear();
  acknowledged_.clear();
  in_flight_.clear();
  waiting_.clear();
  parking_.clear();
  refused_ = 0;
  forget_replays();
}

}  // namespace orderd::relay
