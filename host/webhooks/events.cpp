#include "webhooks/events.h"

#include <map>
#include <optional>
#include <set>

#include "base/log.h"
#include "saga/storage/inbox.h"

namespace orderd::webhooks {
namespace {

constexpr std::size_t id_length = 36;

constexpr store::Statement find_by_reference{
    "webhook_order_by_reference",
    "select order_id from sagas where data ->> 'reference' = $1 union all "
    "select order_id from saga_journal where data ->> 'reference' = $1 and data ->> 'reference' <> '' limit "
    "1"};
constexpr store::Statement claim_events{
    "claim_webhook_events",
    "insert into webhook_events (instance, event_id, order_id) select $1, e, o "
    "from unnest($2::text[], $3::uuid[]) u(e, o) on conflict do nothing returning event_id"};

/// A command key and a payment's subject both begin with the order's id.
std::optional<Uuid> named_order(const plugins::WebhookEvent& event) {
  const std::string& name = event.command_key.empty() ? event.subject : event.command_key;
  return Uuid::parse(std::string_view(name).substr(0, id_length));
}

}  // namespace

KeptEvents keep_events(store::UnitOfWork& work, const std::string& instance,
                       const std::vector<plugins::WebhookEvent>& events) {
  KeptEvents kept;
  std::map<std::string, std::pair<const plugins::WebhookEvent*, Uuid>> found;  // by event id
  for (const plugins::WebhookEvent& event : events) {
    std::optional<Uuid> order = named_order(event);
    if (!order && !event.provider_reference.empty()) {
      const auto rows = work.run(find_by_reference, store::Args().text(event.provider_reference));
      if (!rows.empty()) order = rows.uuid(0, 0);
    }
    if (!order)
      kept.waits = true;
    else if (!found.emplace(event.event_id, std::pair{&event, *order}).second)
      ++kept.duplicates;
  }
  if (found.empty()) return kept;
  std::vector<std::string> ids;
  std::vector<Uuid> orders;
  for (const auto& [id, one] : found) {
    ids.push_back(id);
    orders.push_back(one.second);
  }
  const auto claimed = work.run(claim_events, store::Args().text(instance).texts(ids).uuids(orders));
  std::vector<saga::InboxRow> rows;
  for (int i = 0; i < claimed.size(); ++i) {
    const auto& [event, order] = found.at(std::string(claimed.bytes(i, 0)));
    saga::Notice notice{event->command_key, "", event->outcome,
                        "webhook " + event->event_id + (event->type.empty() ? "" : " " + event->type),
                        event->occurred};
    if (notice.outcome.provider_reference.empty())
      notice.outcome.provider_reference = event->provider_reference;
    rows.push_back({order, std::move(notice)});
  }
  kept.taken = static_cast<int>(rows.size());
  kept.duplicates += static_cast<int>(found.size()) - kept.taken;
  if (!rows.empty() && saga::put(work, rows) != kept.taken)
    log_warning("webhooks", "a provider tells of an order that is not of this database",
                {{"instance", instance}});
  return kept;
}

}  // namespace orderd::webhooks
