#include "projection/projector.h"

#include <algorithm>

#include "base/fault.h"
#include "base/log_summed.h"
#include "model/order_json.h"
#include "outbox/dead_letters.h"
#include "outbox/log.h"
#include "plugin_ports/lent_transaction.h"

namespace orderd::projection {
namespace {

constexpr std::size_t events_per_batch_max = 1024;
constexpr std::chrono::milliseconds aside_again{500};
// One order's locked row keeps all others waiting for as long, once.
constexpr int lock_timeout_ms = 250;
constexpr int locks_per_batch_max = 8, aside_tries_max = 4;
constexpr std::size_t aside_max = 1000;

store::DbError db_error_of(const plugins::TxError& error) {
  return {error.what(), error.sqlstate(), store::trouble_of(error.sqlstate()) == store::Trouble::session};
}

store::ConnectionOptions with_short_locks(store::ConnectionOptions options) {
  options.lock_timeout_ms = std::min(options.lock_timeout_ms, lock_timeout_ms);
  return options;
}

}  // namespace

bool to_projection_event(const Event& event, plugins::ProjectionEvent& out) {
  const auto head = read_head(event);
  if (!head) return false;
  out = {event.order_id,   event.version,      event.at,
         name(event.type), name(head->status), name(head->payment.status),
         event.payload};
  return true;
}

Projector::Projector(store::ConnectionOptions options, outbox::LeaseOptions leases,
                     std::unique_ptr<bus::Subscription> events, plugins::ProjectionPort& port)
    : Consumer({"projection", with_short_locks(std::move(options)), std::move(leases)}),
      events_(std::move(events)),
      port_(port),
      applied_(metrics().counter("orderd_projection_applied_total", "Events that projections took")),
      duplicates_(
          metrics().counter("orderd_projection_duplicates_total", "Events that projections had before")),
      parked_(metrics().counter("orderd_projection_parked_total", "Events that could not be projected")),
      lag_(metrics().gauge(bus::lag_name, bus::lag_help, {{"consumer", "projection:" + port_.instance()}})) {}

void Projector::work(std::chrono::milliseconds wait) {
  if (retry_.empty()) retry_ = events_->poll(events_per_batch_max, wait);
  std::erase_if(retry_, [&](const auto& one) {
    return !leases_.held().contains(static_cast<std::int16_t>(one.partition));
  });
  if (!retry_.empty()) apply(retry_);
  retry_.clear();
}

void Projector::maintain(const outbox::Leases::Change& change) {
  for (const std::int16_t shard : change.lost) {
    events_->stop(shard);
    read_.erase(shard);
    std::erase_if(aside_, [&](const auto& one) { return one.second.shard == shard; });
  }
  for (const std::int16_t shard : change.gained) events_->start(shard, leases_.held().at(shard).pos);
  replay();
  take_up_aside();
  lag_.Set(static_cast<double>(events_->lag()));
}

void Projector::forget(const std::vector<std::int16_t>& was_held) {
  for (const std::int16_t shard : was_held) events_->stop(shard);
  retry_.clear();
  read_.clear();
  aside_.clear();
}

/// What was taken from the bus, but never past the first event of an order that is set aside.
Projector::Positions Projector::settled() {
  Positions out;
  for (const auto& [shard, position] : read_)
    if (leases_.held().contains(shard)) out[shard] = position;
  std::map<std::int16_t, const Aside*> first;
  for (const auto& [id, one] : aside_) {
    const Aside*& earliest = first[one.shard];
    if (!earliest || one.read < earliest->read) earliest = &one;
  }
  for (const auto& [shard, one] : first)
    if (out.contains(shard)) out[shard] = one->before;
  return out;
}

void Projector::apply(const std::vector<bus::Record>& records) {
  std::map<Uuid, Order> by_order;
  Records all;
  for (const bus::Record& record : records) {
    const auto shard = static_cast<std::int16_t>(record.partition);
    auto& position = read_.try_emplace(shard, leases_.held().at(shard).pos).first->second;
    const bus::Position before = std::exchange(position, record.position);  // not always higher: see bus
    if (aside_.contains(record.event.order_id)) continue;                   // its history will have this, too
    all.push_back(&record);
    by_order.try_emplace(record.event.order_id, Order{{}, ++orders_read_, before})
        .first->second.records.push_back(&record);
  }
  try {
    return write(all, settled());
  } catch (const store::DbError& error) {
    if (!store::is_locked(error.sqlstate) || fault::mutation("locked_row_holds_projection")) throw;
  }
  std::vector<Order> orders;
  for (auto& [id, order] : by_order) orders.push_back(std::move(order));
  Trial trial;
  in_halves(orders, trial);
  write({}, settled());
}

/// Throws what it met when everything is locked: then the whole consumer waits.
void Projector::in_halves(const std::vector<Order>& orders, Trial& trial) {
  if (orders.empty()) return;
  const bool patient = trial.failed < locks_per_batch_max;
  if (!patient && trial.written > 0 && aside_.size() < aside_max)
    return void(std::for_each(orders.begin(), orders.end(), [this](const Order& one) { set_aside(one); }));
  Records all;
  for (const Order& one : orders) all.insert(all.end(), one.records.begin(), one.records.end());
  try {
    Positions unmoved;
    for (const bus::Record* record : all) {
      const auto shard = static_cast<std::int16_t>(record->partition);
      unmoved[shard] = leases_.held().at(shard).pos;
    }
    write(all, unmoved);
    ++trial.written;
    return;
  } catch (const store::DbError& error) {
    if (!store::is_locked(error.sqlstate) || !patient || aside_.size() >= aside_max) throw;
    ++trial.failed;
  }
  if (orders.size() == 1) return set_aside(orders.front());
  const auto middle = orders.begin() + static_cast<std::ptrdiff_t>(orders.size() / 2);
  in_halves({orders.begin(), middle}, trial);
  in_halves({middle, orders.end()}, trial);
}

void Projector::set_aside(const Order& order) {
  const bus::Record& first = *order.records.front();
  aside_[first.event.order_id] = {static_cast<std::int16_t>(first.partition), order.read, order.before,
                                  std::chrono::steady_clock::now() + aside_again, 0};
  log_summed(LogLevel::warning, "projection", "an order waits for a lock",
             {{"instance", port_.instance()}, {"order", first.event.order_id.to_string()}});
}

/// Orders whose time has come, each alone, from order_events.
void Projector::take_up_aside() {
  int failed = 0;
  for (auto one = aside_.begin(); one != aside_.end() && failed < aside_tries_max;) {
    const auto now = std::chrono::steady_clock::now();
    if (one->second.due > now) {
      ++one;
      continue;
    }
    try {
      apply_history(one->first, one->second.shard, false);
      one = aside_.erase(one);
    } catch (const store::DbError& error) {
      if (!store::is_locked(error.sqlstate)) throw;
      ++failed;
      one->second.due = now + aside_again * (1 << std::min(one->second.failures++, 4));
      ++one;
    }
  }
  for (const auto& [shard, position] : settled())
    if (leases_.held().at(shard).pos != position) return write({}, settled());
}

void Projector::write(const Records& records, const Positions& to) {
  std::vector<plugins::ProjectionEvent> events;
  Records sources;
  std::vector<std::pair<const bus::Record*, std::string>> unreadable;
  for (const bus::Record* record : records) {
    plugins::ProjectionEvent event;
    if (!record->poison.empty() || !to_projection_event(record->event, event)) {
      unreadable.emplace_back(record, record->poison.empty() ? "the payload cannot be read" : record->poison);
      continue;
    }
    events.push_back(event);
    sources.push_back(record);
  }
  if (fault::mutation("projection_before_commit")) {
    store::UnitOfWork early(session());
    leases_.advance(early, to);
    early.commit();
  }
  Counts counts;
  try {
    store::UnitOfWork work(session());
    leases_.advance(work, to);
    plugins::LentTransaction tx(work);
    if (!events.empty()) {
      const auto results = port_.apply(tx, plugins::ProjectionTarget::live, events);
      for (std::size_t i = 0; i < results.size(); ++i) {
        using Kind = plugins::ApplyResult::Kind;
        if (results[i].kind == Kind::applied) ++counts.applied;
        if (results[i].kind == Kind::duplicate) ++counts.duplicates;
        if (results[i].kind == Kind::gap) repair(work, *sources[i], counts);
        if (results[i].kind == Kind::failed) park(work, *sources[i], results[i].error, counts);
      }
    }
    for (const auto& [record, reason] : unreadable) park(work, *record, reason, counts);
    ORDERD_FAULT_POINT("projection.before_commit");
    work.commit();
    ORDERD_FAULT_POINT("projection.after_commit");
  } catch (const plugins::TxError& error) { throw db_error_of(error); }
  applied_.Increment(static_cast<double>(counts.applied));
  duplicates_.Increment(static_cast<double>(counts.duplicates));
  parked_.Increment(static_cast<double>(counts.parked));
  for (const auto& [shard, position] : to) {
    leases_.held().at(shard).pos = position;
    events_->saved(shard, position);
  }
}

/// Versions are missing: order_events has them, or the order waits visibly.
void Projector::repair(store::UnitOfWork& work, const bus::Record& record, Counts& counts) {
  (void)work.flush();
  const auto history = outbox::history(work.connection(), record.event.order_id);
  std::vector<plugins::ProjectionEvent> events;
  for (const auto& entry : history) {
    if (entry.event.version > record.event.version) break;
    plugins::ProjectionEvent event;
    if (to_projection_event(entry.event, event)) events.push_back(event);
  }
  if (events.empty() || events.size() != static_cast<std::size_t>(record.event.version))
    return park(work, record, "earlier versions are missing in order_events, too", counts);
  plugins::LentTransaction tx(work);
  for (const auto& result : port_.apply(tx, plugins::ProjectionTarget::live, events)) {
    if (result.kind == plugins::ApplyResult::Kind::applied ||
        result.kind == plugins::ApplyResult::Kind::duplicate)
      continue;
    return park(work, record, result.error.empty() ? "a gap that its history does not fill" : result.error,
                counts);
  }
}

void Projector::park(store::UnitOfWork& work, const bus::Record& record, const std::string& reason,
                     Counts& counts) {
  ++counts.parked;
  log_error(
      "projection", "an event cannot be projected; its order waits",
      {{"instance", port_.instance()}, {"order", record.event.order_id.to_string()}, {"reason", reason}});
  outbox::park(work, name(),
               {{record.event.order_id, record.event.version, static_cast<std::int16_t>(record.partition),
                 record.position, reason, record.raw_headers_json, record.raw_value}});
}

/// Orders whose dead letters somebody wants to be taken up again: from their whole history.
void Projector::replay() {
  std::set<std::int16_t> shards;
  for (const auto& [shard, held] : leases_.held()) shards.insert(shard);
  for (const outbox::Replay& one : outbox::replays(session(), name(), shards)) {
    try {
      apply_history(one.order_id, one.shard, true);
    } catch (const store::DbError& error) {
      if (!store::is_locked(error.sqlstate)) throw;  // else its letter stays, and the next look tries again
    }
  }
}

/// All of one order's events, in a transaction of their own. What a replay cannot do keeps its letter;
/// otherwise the order gets one.
void Projector::apply_history(const Uuid& order_id, std::int16_t shard, bool replay) {
  const auto history = outbox::history(session(), order_id);
  std::vector<plugins::ProjectionEvent> events;
  for (const auto& entry : history) {
    plugins::ProjectionEvent event;
    if (to_projection_event(entry.event, event)) events.push_back(event);
  }
  std::string problem = events.size() == history.size() ? "" : "its history cannot be read";
  Counts counts;
  try {
    store::UnitOfWork work(session());
    leases_.advance(work, {{shard, leases_.held().at(shard).pos}});
    plugins::LentTransaction tx(work);
    if (problem.empty() && !events.empty())
      for (const auto& result : port_.apply(tx, plugins::ProjectionTarget::live, events)) {
        counts.applied += result.kind == plugins::ApplyResult::Kind::applied;
        if (result.kind == plugins::ApplyResult::Kind::failed && problem.empty()) problem = result.error;
      }
    if (replay && problem.empty())
      outbox::unpark(work, name(), order_id);
    else if (replay)
      outbox::replay_failed(work, name(), order_id, problem);
    else if (!problem.empty())
      park(work, {shard, history.back().pos, history.back().event, ""}, problem, counts);
    work.commit();
  } catch (const plugins::TxError& error) { throw db_error_of(error); }
  applied_.Increment(static_cast<double>(counts.applied));
  parked_.Increment(static_cast<double>(counts.parked));
}

}  // namespace orderd::projection
