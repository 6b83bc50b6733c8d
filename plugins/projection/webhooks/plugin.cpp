// The merchant's webhooks as a projection: events become deliveries in the host's transaction, a thread sends
// them.
#include <orderd/plugin.hpp>

#include "sender.h"
#include "tables.h"

namespace merchant_webhooks {
namespace {

using orderd::sdk::Host;
using orderd::sdk::Refused;

constexpr const char* schedule_default = "5 300 1800 7200 18000 36000 50400 72000 86400";
constexpr std::int64_t lease_margin_ms = 15'000;

SenderConfig read_config(const Host& host) {
  host.refuse_unknown_settings({"database", "url", "secret", "events", "schedule_s", "timeout_s",
                                "disable_after_s", "keep_days", "poll_ms", "replay"});
  SenderConfig config;
  config.queue.database = host.required_setting("database");
  config.queue.endpoint = host.instance();
  config.queue.url = host.required_setting("url");
  if (config.queue.url.rfind("https://", 0) != 0 && config.queue.url.rfind("http://", 0) != 0)
    throw Refused("setting \"url\" is \"" + config.queue.url + "\": give an http or https URL");
  config.keys = read_secrets(host.required_setting("secret"));
  config.queue.schedule_s = read_schedule(host.setting("schedule_s", schedule_default));
  config.queue.disable_after_s = host.setting("disable_after_s", 432'000, 1, 31'536'000);
  config.queue.keep_days = host.setting("keep_days", 30, 1, 3650);
  config.queue.replay = host.setting("replay", "");
  if (!config.queue.replay.empty()) (void)read_replay(config.queue.replay);
  config.timeout_ms = host.setting("timeout_s", 15, 1, 120) * 1000;
  config.queue.lease_ms = config.timeout_ms + lease_margin_ms;
  config.poll_ms = host.setting("poll_ms", 500, 50, 60'000);
  return config;
}

class Plugin final : public orderd::sdk::Projection, public orderd::sdk::Migrations {
 public:
  static constexpr const char* settings_schema = R"({
    "type": "object", "additionalProperties": false, "required": ["database", "url", "secret"],
    "properties": {
      "database": {"type": "string", "minLength": 1, "description": "the host's own PostgreSQL"},
      "url": {"type": "string", "pattern": "^https?://", "maxLength": 2048},
      "secret": {"type": "string", "format": "secret",
        "description": "whsec_…; several, one a line, while a secret is changed"},
      "events": {"type": "string", "description": "types that are wanted, separated by blanks; none: all"},
      "schedule_s": {"type": "string", "pattern": "^[0-9 ]*$", "maxLength": 500,
        "default": "5 300 1800 7200 18000 36000 50400 72000 86400",
        "description": "seconds before the second, third … attempt"},
      "timeout_s": {"type": "integer", "minimum": 1, "maximum": 120, "default": 15},
      "disable_after_s": {"type": "integer", "minimum": 1, "maximum": 31536000, "default": 432000,
        "description": "an endpoint that only failed for so long is disabled"},
      "keep_days": {"type": "integer", "minimum": 1, "maximum": 3650, "default": 30,
        "description": "how long messages are kept; what was not delivered by then is given up"},
      "poll_ms": {"type": "integer", "minimum": 50, "maximum": 60000, "default": 500},
      "replay": {"type": "string", "maxLength": 100,
        "description": "[failed ]FROM[/TO], RFC 3339 in UTC: sent again, once for each text"}}})";

  explicit Plugin(const Host& host)
      : endpoint_{std::string(host.instance()), read_types(host.setting("events", "")),
                  orderd::sdk::Clock(host).now_ms()},
        sender_(host, read_config(host)) {}

  void start() { sender_.start(); }
  void stop() { sender_.stop(); }

  std::vector<Verdict> apply(Transaction& tx, Target target, const std::vector<EventView>& events) override {
    return take(tx, target, endpoint_, events);
  }
  void rebuild_begin(Transaction& tx) override { begin_rebuild(tx, endpoint_.name); }
  void rebuild_finish(Transaction& tx) override { finish_rebuild(tx, endpoint_.name); }

  const std::vector<orderd_migration>& migrations() const override {
    static const std::vector<orderd_migration> all{{1, 0, "webhooks", tables_sql},
                                                   {2, 0, "endpoints_seen", seen_sql}};
    return all;
  }

 private:
  const Endpoint endpoint_;
  Sender sender_;
};

}  // namespace
}  // namespace merchant_webhooks

ORDERD_PLUGIN(merchant_webhooks::Plugin, "projection-webhooks", "1.0.0", "orderd")
