#include "plugin_host/webhook_reader.h"

#include "plugin_host/error.h"
#include "plugin_host/fill_error.h"
#include "plugin_host/translate.h"

namespace orderd::plugins {
namespace {

constexpr std::size_t text_bytes_max = 255;

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

bool take(std::string& out, orderd_view given, std::size_t bytes_max) {
  if (given.size > bytes_max || (given.size > 0 && !given.data)) return false;
  out = std::string(to_text(given));
  return is_utf8_text(out);
}

orderd_status take_event(Collected& into, const orderd_webhook_event* given) {
  if (!given || !ORDERD_HAS(given, orderd_webhook_event, occurred_ms))
    return into.refuse("an event is missing or too short");
  if (into.result.events.size() >= webhook_events_max)
    return into.refuse("more than " + std::to_string(webhook_events_max) + " events");
  WebhookEvent event;
  if (!take(event.event_id, given->event_id, text_bytes_max) || event.event_id.empty())
    return into.refuse("an event has no event_id of 1 to 255 bytes of text");
  if (!take(event.type, given->type, text_bytes_max) ||
      !take(event.command_key, given->command_key, text_bytes_max) ||
      !take(event.subject, given->subject, text_bytes_max) ||
      !take(event.provider_reference, given->provider_reference, text_bytes_max))
    return into.refuse("event " + event.event_id + ": a text is longer than 255 bytes or not UTF-8");
  if (event.command_key.empty() && event.subject.empty() && event.provider_reference.empty())
    return into.refuse("event " + event.event_id +
                       " has neither command_key nor subject nor provider_reference");
  if (given->occurred_ms < 0) return into.refuse("event " + event.event_id + ": occurred_ms is negative");
  if (given->occurred_ms > 0) event.occurred = Time(Millis(given->occurred_ms));
  std::string problem;  // then the outcome is UNKNOWN, and the host asks
  if (!read_outcome(given->outcome, false, event.outcome, problem))
    into.instance.misbehaving("the outcome of its webhook event makes no sense: " + problem);
  into.result.events.push_back(std::move(event));
  return ORDERD_OK;
}

orderd_status take_reply(Collected& into, std::int32_t status, orderd_view type, orderd_view body) {
  if (into.replied) return into.refuse("it replied twice");
  into.replied = true;
  if (status < 200 || status > 299) return into.refuse("its reply has status " + std::to_string(status));
  if (!take(into.result.reply_type, type, text_bytes_max) || body.size > webhook_reply_bytes_max ||
      (body.size > 0 && !body.data))
    return into.refuse("its reply is too long, or its content type is no text");
  for (const char c : into.result.reply_type)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return into.refuse("the content type of its reply has control characters");
  into.result.reply_status = status;
  into.result.reply_body = std::string(to_text(body));
  return ORDERD_OK;
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

WebhookReader::WebhookReader(Instance& instance)
    : instance_(instance), table_(instance.extension<orderd_webhook_v1>(ORDERD_EXT_WEBHOOK)) {
  if (!table_->handle)
    fail(instance.name(), instance.library().path, "its " ORDERD_EXT_WEBHOOK " has holes",
         "report it to the plugin's vendor");
}

WebhookResult WebhookReader::handle(const WebhookRequest& request) {
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
    status = table_->handle(instance_.plugin(), &given, &sink, &error);
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
                                                    : std::string(message_of(error));
  return without_events(
      status == ORDERD_E_INVALID ? WebhookResult::Kind::refused : WebhookResult::Kind::failed, why);
}

}  // namespace orderd::plugins
