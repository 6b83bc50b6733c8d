// A provider's webhooks as a class (webhook.h).
#ifndef ORDERD_SDK_WEBHOOK_HPP
#define ORDERD_SDK_WEBHOOK_HPP

#include <orderd/webhook.h>

#include "box.hpp"
#include "outcome.hpp"

namespace orderd::sdk {

/// Valid inside the call it came with.
class WebhookRequest {
 public:
  explicit WebhookRequest(const orderd_webhook_request* request) : request_(request) {}
  std::string_view method() const { return text(request_->method); }
  std::string_view query() const { return text(request_->query); }
  std::string_view body() const { return text(request_->body); }
  std::int64_t received_ms() const { return request_->received_ms; }
  /// The first header of that name (in any case); nullopt without one.
  std::optional<std::string_view> header(std::string_view name) const {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    const auto same = [&](char a, char b) { return lower(a) == lower(b); };
    for (std::uint32_t i = 0; i < request_->header_count; ++i) {
      const std::string_view given = text(request_->headers[i].name);
      if (std::equal(given.begin(), given.end(), name.begin(), name.end(), same))
        return text(request_->headers[i].value);
    }
    return std::nullopt;
  }

 private:
  const orderd_webhook_request* request_;
};

/// What a webhook tells. One of command_key, subject and provider_reference at least; the outcome as
/// webhook.h says.
struct WebhookEvent {
  std::string event_id, type;
  std::string command_key, subject, provider_reference;
  Outcome outcome;
  std::int64_t occurred_ms = 0;
};

/// Where they go. Valid inside the call it came with.
class WebhookEvents {
 public:
  explicit WebhookEvents(const orderd_webhook_sink* sink) : sink_(sink) {}
  /// Throws if the host finds no sense in the event; let it pass.
  void emit(const WebhookEvent& event) {
    const orderd_outcome outcome = event.outcome.abi();
    const auto given = [](const std::string& s) { return s.empty() ? orderd_view{nullptr, 0} : view(s); };
    orderd_webhook_event out;
    ORDERD_CLEAR(out);
    out.event_id = given(event.event_id);
    out.type = given(event.type);
    out.command_key = given(event.command_key);
    out.subject = given(event.subject);
    out.provider_reference = given(event.provider_reference);
    out.outcome = &outcome;
    out.occurred_ms = event.occurred_ms;
    if (sink_->emit(sink_, &out) != ORDERD_OK)
      throw Refused("the host refused the event \"" + event.event_id + "\"", ORDERD_E_INTERNAL);
  }
  /// The answer to the provider, when it wants one in words.
  void reply(std::int32_t status, std::string_view content_type, std::string_view body) {
    if (sink_->reply(sink_, status, view(content_type), view(body)) != ORDERD_OK)
      throw Refused("the host refused the answer to the provider", ORDERD_E_INTERNAL);
  }

 private:
  const orderd_webhook_sink* sink_;
};

/// Beside PaymentProvider or SagaStep: `class Stripe : public PaymentProvider, public Webhooks`. Calls come
/// from several threads at once.
class Webhooks {
 public:
  virtual ~Webhooks() = default;
  /// Pure computation. Throws Refused (with ORDERD_E_INVALID, as it does by itself) if the call is not the
  /// provider's; any other exception has the provider send it again.
  virtual void webhook(const WebhookRequest& request, WebhookEvents& events) = 0;
};

template <class T>
struct Tables<T, Webhooks> {
  static const void* find(const char* id) {
    static const orderd_webhook_v1 table = {handle};
    return std::strcmp(id, ORDERD_EXT_WEBHOOK) == 0 ? &table : nullptr;
  }
  static orderd_status handle(orderd_plugin* plugin, const orderd_webhook_request* request,
                              const orderd_webhook_sink* sink, orderd_error* error) {
    return guarded(error, [&] {
      WebhookEvents events(sink);
      static_cast<Webhooks&>(self<T>(plugin)).webhook(WebhookRequest(request), events);
    });
  }
};

}  // namespace orderd::sdk
#endif
