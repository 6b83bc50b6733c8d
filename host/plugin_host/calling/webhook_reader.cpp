#include "plugin_host/calling/webhook_reader.h"

#include "plugin_host/calling/fill_error.h"
#include "plugin_host/calling/translate.h"
#include "plugin_ports/error.h"

namespace orderd::plugins {
namespace {

/// One call's sink: what the plugin emitted so far, and the first thing that was wrong.
struct Collected {
  const Instance& instance;
  WebhookResult result;
  bool replied = false;
  std::string problem;

  orderd_status refuse(std::string why) {
    if (problem.empty()) problem = std::move(why);
    return ORDERD_E_INVALID;
  }
};

/// Copies no more than a limit's worth, of what the judge then refuses.
std::string copied(orderd_view given, std::size_t bytes_max) {
  return std::string(to_text(given).substr(0, bytes_max + 1));
}

orderd_status take_event(Collected& into, const orderd_webhook_event* given) {
  if (!given || !ORDERD_HAS(given, orderd_webhook_event, occurred_ms))
    return into.refuse("an event is missing or too short");
  if (into.result.events.size() >= webhook_events_max)
    return into.refuse("more than " + std::to_string(webhook_events_max) + " events");
  WebhookEvent event;
  for (const auto& [text, view] : {std::pair{&event.event_id, &given->event_id},
                                   {&event.type, &given->type},
                                   {&event.command_key, &given->command_key},
                                   {&event.subject, &given->subject},
                                   {&event.provider_reference, &given->provider_reference}}) {
    if (view->size > 0 && !view->data) return into.refuse("a text of an event has a size and no data");
    *text = copied(*view, outcome_name_bytes_max);
  }
  if (given->occurred_ms != 0) event.occurred = Time(Millis(given->occurred_ms));
  if (const std::string problem = event_problem(event); !problem.empty()) return into.refuse(problem);
  std::string problem;  // then the outcome is UNKNOWN, and the host asks
  if (!read_outcome(given->outcome, false, event.outcome, problem))
    into.instance.misbehaving("the outcome of its webhook event makes no sense: " + problem);
  into.result.events.push_back(std::move(event));
  return ORDERD_OK;
}

orderd_status take_reply(Collected& into, std::int32_t status, orderd_view type, orderd_view body) {
  if (into.replied) return into.refuse("it replied twice");
  into.replied = true;
  if ((type.size > 0 && !type.data) || (body.size > 0 && !body.data))
    return into.refuse("its reply has a size and no data");
  into.result.reply_status = status;
  into.result.reply_type = copied(type, outcome_name_bytes_max);
  into.result.reply_body = copied(body, webhook_reply_bytes_max);
  const std::string problem = webhook_problem(into.result);
  return problem.empty() ? ORDERD_OK : into.refuse(problem);
}

/// Nothing of the host's may be thrown through the plugin.
template <typename Call>
orderd_status inside_plugin(const orderd_webhook_sink* sink, Call call) {
  auto& into = *static_cast<Collected*>(sink->sink_data);
  try {
    return call(into);
  } catch (const std::exception& e) { return into.refuse(e.what()); }
}

orderd_webhook_sink sink_of(Collected& collected) {
  orderd_webhook_sink sink;
  sink.sink_data = &collected;
  sink.emit = [](const orderd_webhook_sink* self, const orderd_webhook_event* event) {
    return inside_plugin(self, [&](Collected& into) { return take_event(into, event); });
  };
  sink.reply = [](const orderd_webhook_sink* self, std::int32_t status, orderd_view type, orderd_view body) {
    return inside_plugin(self, [&](Collected& into) { return take_reply(into, status, type, body); });
  };
  return sink;
}

WebhookResult without_events(WebhookResult::Kind kind, std::string problem) {
  WebhookResult result;
  result.kind = kind;
  result.problem = std::move(problem);
  return result;
}

}  // namespace

WebhookReader::WebhookReader(Instance& instance) : instance_(instance) {
  if (!table()->handle)
    fail(instance.name(), instance.library().path, "its " ORDERD_EXT_WEBHOOK " has holes",
         "report it to the plugin's vendor");
}

WebhookResult WebhookReader::handle(const WebhookRequest& request) {
  if (instance_.down()) return without_events(WebhookResult::Kind::failed, instance_.down_problem());
  std::vector<orderd_header> headers;
  headers.reserve(request.headers.size());
  for (const auto& [name, value] : request.headers)
    headers.push_back({to_view(name), {value.data(), value.size()}});
  orderd_webhook_request given;
  ORDERD_CLEAR(given);
  given.header_count = static_cast<std::uint32_t>(headers.size());
  given.method = to_view(request.method);
  if (request.query) given.query = {request.query->data(), request.query->size()};
  given.headers = headers.data();
  given.body = {request.body.data(), request.body.size()};
  given.received_ms = request.received.time_since_epoch().count();

  Collected collected{instance_, {}, false, {}};
  const orderd_webhook_sink sink = sink_of(collected);
  orderd_error error;
  ORDERD_CLEAR(error);
  orderd_status status = ORDERD_E_INTERNAL;
  try {
    status = table()->handle(instance_.plugin(), &given, &sink, &error);
  } catch (...) {
    fill_error(&error, "EXCEPTION", "an exception left handle()");
    instance_.misbehaving("an exception left handle()");
  }
  if (!collected.problem.empty()) {
    instance_.misbehaving("its webhook makes no sense: " + collected.problem);
    return without_events(WebhookResult::Kind::failed, collected.problem);
  }
  if (status == ORDERD_OK) {
    collected.result.kind = WebhookResult::Kind::taken;
    return std::move(collected.result);
  }
  const std::string why = message_of(error).empty() ? "handle() answered " + std::to_string(status)
                                                    : instance_.masked(one_line(message_of(error)));
  return without_events(
      status == ORDERD_E_INVALID ? WebhookResult::Kind::refused : WebhookResult::Kind::failed, why);
}

}  // namespace orderd::plugins
