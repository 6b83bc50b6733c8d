#include "projection/projector.h"

#include <algorithm>

#include "base/fault.h"
#include "base/log.h"
#include "model/order_json.h"
#include "outbox/dead_letters.h"
#include "outbox/log.h"
#include "plugin_host/lent_transaction.h"

namespace orderd::projection {
namespace {

constexpr std::size_t events_per_batch_max = 1024;
constexpr std::chrono::milliseconds maintain_every{1000}, store_retry{500};

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
    : options_(std::move(options)),
      leases_(std::move(leases)),
      events_(std::move(events)),
      port_(port),
      applied_(metrics().counter("orderd_projection_applied_total", "Events that projections took")),
      duplicates_(
          metrics().counter("orderd_projection_duplicates_total", "Events that projections had before")),
      parked_(metrics().counter("orderd_projection_parked_total", "Events that could not be projected")),
      lag_(metrics().gauge(bus::lag_name("projection:" + port_.instance()), bus::lag_help)) {}

void Projector::run(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] { events_->wake(); });
  while (!stop.stop_requested()) turn(maintain_every);
  try {
    if (connection_ && connection_->usable()) leases_.release_all(*connection_);
  } catch (const store::DbError& error) {
    log_warning("projection", "leases not given back, others wait for their end", {{"error", error.what()}});
  }
}

bool Projector::turn(std::chrono::milliseconds wait) {
  try {
    if (!connection_ || !connection_->usable()) connection_ = std::make_unique<store::Connection>(options_);
    if (std::chrono::steady_clock::now() - maintained_ >= maintain_every) maintain();
    if (retry_.empty()) retry_ = events_->poll(events_per_batch_max, wait);
    std::erase_if(retry_, [&](const auto& one) {
      return !leases_.held().contains(static_cast<std::int16_t>(one.partition));
    });
    if (!retry_.empty()) apply(retry_);
    retry_.clear();
    if (away_) log_info("projection", "working again", {{"instance", port_.instance()}});
    away_ = false;
    return true;
  } catch (const store::DbError& error) { lose(error.what()); } catch (const plugins::TxError& error) {
    lose(error.what());
  }
  (void)events_->poll(1, std::min(wait, store_retry));
  return false;
}

void Projector::maintain() {
  const auto change = leases_.maintain(*connection_);
  for (const std::int16_t shard : change.lost) events_->stop(shard);
  for (const std::int16_t shard : change.gained) events_->start(shard, leases_.held().at(shard).pos);
  replay();
  lag_ = events_->lag();
  maintained_ = std::chrono::steady_clock::now();
}

void Projector::lose(const std::string& why) {
  if (!away_)
    log_warning("projection", "beginning again behind the last saved position",
                {{"instance", port_.instance()}, {"error", why}});
  away_ = true;
  for (const std::int16_t shard : leases_.forget()) events_->stop(shard);
  retry_.clear();
  connection_.reset();
  maintained_ = {};
}

void Projector::apply(std::vector<bus::Record>& records) {
  std::map<std::int16_t, std::int64_t> to;
  std::vector<plugins::ProjectionEvent> events;
  std::vector<const bus::Record*> sources;
  std::vector<std::pair<const bus::Record*, std::string>> unreadable;
  for (const bus::Record& record : records) {
    to[static_cast<std::int16_t>(record.partition)] = record.position;  // not always the highest: see bus
    plugins::ProjectionEvent event;
    if (!record.poison.empty() || !to_projection_event(record.event, event)) {
      unreadable.emplace_back(&record, record.poison.empty() ? "the payload cannot be read" : record.poison);
      continue;
    }
    events.push_back(event);
    sources.push_back(&record);
  }
  if (fault::mutation("projection_before_commit")) {
    store::UnitOfWork early(*connection_);
    leases_.advance(early, to);
    early.commit();
  }
  store::UnitOfWork work(*connection_);
  leases_.advance(work, to);
  plugins::LentTransaction tx(work);
  if (!events.empty()) {
    const auto results = port_.apply(tx, plugins::ProjectionTarget::live, events);
    for (std::size_t i = 0; i < results.size(); ++i) {
      using Kind = plugins::ApplyResult::Kind;
      if (results[i].kind == Kind::applied) ++applied_;
      if (results[i].kind == Kind::duplicate) ++duplicates_;
      if (results[i].kind == Kind::gap) repair(work, *sources[i]);
      if (results[i].kind == Kind::failed) park(work, *sources[i], results[i].error);
    }
  }
  for (const auto& [record, reason] : unreadable) park(work, *record, reason);
  ORDERD_FAULT_POINT("projection.before_commit");
  work.commit();
  ORDERD_FAULT_POINT("projection.after_commit");
  for (const auto& [shard, position] : to) {
    leases_.held().at(shard).pos = position;
    events_->saved(shard, position);
  }
}

/// Versions are missing: order_events has them, or the order waits visibly.
void Projector::repair(store::UnitOfWork& work, const bus::Record& record) {
  (void)work.flush();
  const auto history = outbox::history(work.connection(), record.event.order_id);
  std::vector<plugins::ProjectionEvent> events;
  for (const auto& entry : history) {
    if (entry.event.version > record.event.version) break;
    plugins::ProjectionEvent event;
    if (to_projection_event(entry.event, event)) events.push_back(event);
  }
  if (events.empty() || events.size() != static_cast<std::size_t>(record.event.version))
    return park(work, record, "earlier versions are missing in order_events, too");
  plugins::LentTransaction tx(work);
  for (const auto& result : port_.apply(tx, plugins::ProjectionTarget::live, events)) {
    if (result.kind == plugins::ApplyResult::Kind::applied ||
        result.kind == plugins::ApplyResult::Kind::duplicate)
      continue;
    return park(work, record, result.error.empty() ? "a gap that its history does not fill" : result.error);
  }
}

void Projector::park(store::UnitOfWork& work, const bus::Record& record, const std::string& reason) {
  ++parked_;
  log_error(
      "projection", "an event cannot be projected; its order waits",
      {{"instance", port_.instance()}, {"order", record.event.order_id.to_string()}, {"reason", reason}});
  outbox::park(work, leases_.consumer(),
               {{record.event.order_id, record.event.version, static_cast<std::int16_t>(record.partition),
                 record.position, reason, record.raw_headers_json, record.raw_value}});
}

/// Orders whose dead letters somebody wants to be taken up again: from their whole history.
void Projector::replay() {
  std::set<std::int16_t> shards;
  for (const auto& [shard, held] : leases_.held()) shards.insert(shard);
  for (const outbox::Replay& one : outbox::replays(*connection_, leases_.consumer(), shards)) {
    const auto history = outbox::history(*connection_, one.order_id);
    std::vector<plugins::ProjectionEvent> events;
    for (const auto& entry : history) {
      plugins::ProjectionEvent event;
      if (to_projection_event(entry.event, event)) events.push_back(event);
    }
    std::string problem = events.size() == history.size() ? "" : "its history cannot be read";
    store::UnitOfWork work(*connection_);
    leases_.advance(work, {{one.shard, leases_.held().at(one.shard).pos}});
    plugins::LentTransaction tx(work);
    if (problem.empty())
      for (const auto& result : port_.apply(tx, plugins::ProjectionTarget::live, events))
        if (result.kind == plugins::ApplyResult::Kind::failed && problem.empty()) problem = result.error;
    if (problem.empty())
      outbox::unpark(work, leases_.consumer(), one.order_id);
    else
      outbox::replay_failed(work, leases_.consumer(), one.order_id, problem);
    work.commit();
  }
}

}  // namespace orderd::projection
