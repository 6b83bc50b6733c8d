#pragma once
// What a provider posts, on its way through the plugin that knows how to read it. The API takes it in, keeps
// the events in one transaction, then answers.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "model/step_fields.h"

namespace orderd::plugins {

/// As the API got it; the body is raw.
struct WebhookRequest {
  std::string method;                                          // "POST"
  std::optional<std::string> query;                            // behind the '?', as it came
  std::vector<std::pair<std::string, std::string>> headers{};  // names in lower case
  std::string body;
  Time received{};
};
template <class Visitor, FieldsOf<WebhookRequest> T>
void fields(Visitor& visit, T& request) {
  visit("method", request.method);
  visit("query", request.query);
  visit("headers", request.headers);
  visit("body", request.body);
  visit("received", request.received);
}

/// What a payment or a command has become. At least one of the three that find the order is not empty; the
/// first of them counts.
struct WebhookEvent {
  std::string event_id;            // the provider's: has its effect once
  std::string type;                // for people
  std::string command_key;         // then `outcome` is that command's own
  std::string subject;             // else it tells the payment itself
  std::string provider_reference;  // as an earlier outcome reported it
  Outcome outcome;                 // UNKNOWN: something changed, ask by a query
  std::optional<Time> occurred;
};
template <class Visitor, FieldsOf<WebhookEvent> T>
void fields(Visitor& visit, T& event) {
  visit("eventId", event.event_id);
  visit("type", event.type);
  visit("commandKey", event.command_key);
  visit("subject", event.subject);
  visit("providerReference", event.provider_reference);
  visit("outcome", event.outcome);
  visit("occurred", event.occurred);
}

struct WebhookResult {
  enum class Kind {
    taken,    // keep the events, then answer as `reply_…` says
    refused,  // not the provider's: 401
    failed,   // nothing is to be kept; the provider shall come again: 503
  };
  Kind kind = Kind::failed;
  std::string problem;  // of refused and failed: for the log, not for the caller
  std::vector<WebhookEvent> events;
  int reply_status = 200;
  std::string reply_type, reply_body;
};
template <class Visitor, FieldsOf<WebhookResult> T>
void fields(Visitor& visit, T& result) {
  visit("kind", result.kind);
  visit("problem", result.problem);
  visit("events", result.events);
  visit("replyStatus", result.reply_status);
  visit("replyType", result.reply_type);
  visit("replyBody", result.reply_body);
}

/// Limits of one call.
inline constexpr std::size_t webhook_events_max = 1000;
inline constexpr std::size_t webhook_reply_bytes_max = 4096;

/// One instance of a plugin that takes webhooks. Between start() and stop() of the Registry. [any thread]
class WebhookPort {
 public:
  virtual ~WebhookPort() = default;
  virtual const std::string& instance() const = 0;
  virtual const std::string& digest() const = 0;
  /// Never throws for what a plugin does; does not wait.
  virtual WebhookResult handle(const WebhookRequest& request) = 0;
};

}  // namespace orderd::plugins
