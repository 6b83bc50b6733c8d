// A provider's webhook in small: the body is the script.
#include <orderd/plugin.hpp>

namespace {

using namespace orderd::sdk;

class Hooked final : public SagaStep, public Webhooks {
 public:
  static constexpr const char* settings_schema = R"({"type":"object","additionalProperties":false})";
  explicit Hooked(Host) {}
  bool supports(std::string_view) const override { return false; }
  void execute(Command, Reply&&) override {}

  void webhook(const WebhookRequest& request, WebhookEvents& events) override {
    if (request.header("X-Signature") != "good") throw Refused("the signature is not ours");
    if (request.body() == "crash") throw std::runtime_error("a bug in the plugin");
    if (request.body() == "challenge") return events.reply(200, "text/plain", request.query());
    if (request.body() == "bad reply") return events.reply(302, "text/plain", "");
    WebhookEvent event;
    event.event_id = "evt_1";
    event.type = "charge.refunded";
    event.command_key = "pay-1.refund.1.g1";
    event.outcome = Outcome::done();
    event.outcome.totals = orderd_totals{100, 100, request.body() == "garbage" ? 200 : 40, 0};
    event.occurred_ms = request.received_ms() - 1000;
    if (request.body() == "no id") event.event_id.clear();
    if (request.body() == "no order") event.command_key.clear();
    const int times = request.body() == "many" ? 1001 : 1;
    for (int i = 0; i < times; ++i) events.emit(event);
  }
};

}  // namespace

ORDERD_PLUGIN(Hooked, "hooked", "1.0.0", "orderd tests")
