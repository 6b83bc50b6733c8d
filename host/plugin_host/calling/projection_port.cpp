#include "plugin_host/calling/lent_call.h"
#include "plugin_host/calling/savepoint.h"
#include "plugin_host/calling/transactional_ports.h"
#include "plugin_host/calling/translate.h"
#include "plugin_ports/error.h"

namespace orderd::plugins {
namespace {

orderd_event to_abi(const ProjectionEvent& event) {
  orderd_event out;
  ORDERD_CLEAR(out);
  out.version = event.version;
  out.order_id = plugins::to_abi(event.order_id);
  out.at_ms = event.at.time_since_epoch().count();
  out.type = to_view(event.type);
  out.status = to_view(event.status);
  out.payment_status = to_view(event.payment_status);
  out.payload_json = to_view(event.payload_json);
  return out;
}

}  // namespace

PluginProjection::PluginProjection(Instance& instance) : instance_(instance) {
  if (!table()->apply || !table()->rebuild_begin || !table()->rebuild_finish)
    fail(instance.name(), instance.library().path, "its " ORDERD_EXT_PROJECTION " has holes",
         "report it to the plugin's vendor");
}

std::vector<ApplyResult> PluginProjection::apply(TxPort& tx, ProjectionTarget target,
                                                 const std::vector<ProjectionEvent>& events) {
  std::vector<orderd_event> all;
  all.reserve(events.size());
  std::vector<const orderd_event*> pointers;
  for (const ProjectionEvent& event : events) pointers.push_back(&all.emplace_back(to_abi(event)));

  std::vector<ApplyResult> results(events.size());
  const Attempt attempt = [&](std::size_t first, std::size_t count) -> std::string {
    std::vector<std::int32_t> verdicts(count, ORDERD_APPLIED);
    const LentCall call = call_with(instance_, tx, "apply", [&](orderd_tx* loan, orderd_error* error) {
      return table()->apply(instance_.plugin(), loan, static_cast<std::int32_t>(target),
                            pointers.data() + first, count, verdicts.data(), error);
    });
    if (call.sql && call.sql->ends_transaction()) throw *call.sql;
    if (!call.ok()) return call.message;
    for (std::size_t i = 0; i < count; ++i) {
      if (verdicts[i] < ORDERD_APPLIED || verdicts[i] > ORDERD_GAP)
        return instance_.name() + ": verdict " + std::to_string(verdicts[i]) + " is none";
      results[first + i].kind = static_cast<ApplyResult::Kind>(verdicts[i]);
    }
    return "";
  };
  all_or_one_by_one(tx, events.size(), attempt, [&](std::size_t index, const std::string& why) {
    results[index] = {ApplyResult::Kind::failed, why};
  });
  return results;
}

void PluginProjection::rebuild_begin(TxPort& tx) {
  throw_if_failed(call_with(instance_, tx, "rebuild_begin", [&](orderd_tx* loan, orderd_error* error) {
    return table()->rebuild_begin(instance_.plugin(), loan, error);
  }));
}

void PluginProjection::rebuild_finish(TxPort& tx) {
  throw_if_failed(call_with(instance_, tx, "rebuild_finish", [&](orderd_tx* loan, orderd_error* error) {
    return table()->rebuild_finish(instance_.plugin(), loan, error);
  }));
}

}  // namespace orderd::plugins
