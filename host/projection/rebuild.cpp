#include "base/log.h"
#include "outbox/log.h"
#include "plugin_ports/lent_transaction.h"
#include "projection/projector.h"

namespace orderd::projection {
namespace {

constexpr int entries_per_read = 1024;

// The live projector cannot commit while these are held: both tables then stand still.
constexpr store::Statement hold_positions{
    "hold_positions", "select pos from positions where consumer = $1 order by shard for update"};

/// Applies what is next behind `from` to the shadow; true while a read was full, so that there may be more.
bool apply_next(store::UnitOfWork& work, plugins::ProjectionPort& port, std::vector<outbox::From>& from,
                std::int64_t& count) {
  (void)work.flush();
  const auto entries = outbox::read(work.connection(), from, entries_per_read);
  std::vector<plugins::ProjectionEvent> events;
  for (const auto& entry : entries) {
    from[static_cast<std::size_t>(entry.shard)].after = entry.pos;
    plugins::ProjectionEvent event;
    if (to_projection_event(entry.event, event))
      events.push_back(event);
    else
      log_error("projection", "an event cannot be read and is left out",
                {{"order", entry.event.order_id.to_string()}});
  }
  const bool more = entries.size() >= static_cast<std::size_t>(entries_per_read);
  if (events.empty()) return more;
  plugins::LentTransaction tx(work);
  for (const auto& result : port.apply(tx, plugins::ProjectionTarget::shadow, events))
    if (!result.error.empty())
      log_error("projection", "an event cannot be projected and is left out", {{"error", result.error}});
  count += static_cast<std::int64_t>(events.size());
  return more;
}

}  // namespace

void rebuild(store::Connection& connection, const std::string& consumer, plugins::ProjectionPort& port,
             const std::function<void(std::int64_t)>& progress) {
  {
    store::UnitOfWork work(connection);
    plugins::LentTransaction tx(work);
    port.rebuild_begin(tx);
    work.commit();
  }
  std::vector<outbox::From> from;
  for (std::size_t shard = 0; shard < outbox::ends(connection).size(); ++shard)
    from.push_back({static_cast<std::int16_t>(shard), -1});
  std::int64_t count = 0;
  for (bool more = true; more;) {
    store::UnitOfWork work(connection);
    more = apply_next(work, port, from, count);
    work.commit();
    progress(count);
  }
  store::UnitOfWork work(connection);
  work.run(hold_positions, store::Args().text(consumer));
  // At least up to where the live tables stand: they cannot move now.
  while (apply_next(work, port, from, count)) progress(count);
  plugins::LentTransaction tx(work);
  port.rebuild_finish(tx);
  work.commit();
  progress(count);
}

}  // namespace orderd::projection
