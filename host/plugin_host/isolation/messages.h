#pragma once
// What the host and the process of an isolated plugin tell each other, beside the host's own values.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/step_fields.h"
#include "plugin_ports/webhook.h"

namespace orderd::plugins::isolation {

/// The first frame, from the host.
struct Begin {
  std::string instance, library, digest, host_version, log_level, log_format;
  std::map<std::string, std::string> settings, secrets;
  std::vector<std::string> extensions;
  std::uint32_t threads = 2;
  bool older = false;
};
template <class Visitor, FieldsOf<Begin> T>
void fields(Visitor& visit, T& begin) {
  visit("instance", begin.instance);
  visit("library", begin.library);
  visit("digest", begin.digest);
  visit("hostVersion", begin.host_version);
  visit("logLevel", begin.log_level);
  visit("logFormat", begin.log_format);
  visit("settings", begin.settings);
  visit("secrets", begin.secrets);
  visit("extensions", begin.extensions);
  visit("threads", begin.threads);
  visit("older", begin.older);
}
struct Hello {
  std::string problem;  // why there is no instance; the rest is then empty
  std::string plugin, version, vendor;
  std::vector<std::string> extensions;
  bool is_step = false, transactional = false, can_query = false, takes_webhooks = false;
  std::int64_t window_ms = 0;
  std::uint32_t state_min = 0, state_max = 0;
  bool has_migrations = false;
};
template <class Visitor, FieldsOf<Hello> T>
void fields(Visitor& visit, T& hello) {
  visit("problem", hello.problem);
  visit("plugin", hello.plugin);
  visit("version", hello.version);
  visit("vendor", hello.vendor);
  visit("extensions", hello.extensions);
  visit("isStep", hello.is_step);
  visit("transactional", hello.transactional);
  visit("canQuery", hello.can_query);
  visit("takesWebhooks", hello.takes_webhooks);
  visit("windowMs", hello.window_ms);
  visit("stateMin", hello.state_min);
  visit("stateMax", hello.state_max);
  visit("hasMigrations", hello.has_migrations);
}

/// A completed command.
struct Answered {
  std::string key;
  Uuid order_id;
  Outcome outcome;
};
template <class Visitor, FieldsOf<Answered> T>
void fields(Visitor& visit, T& answered) {
  visit("key", answered.key);
  visit("orderId", answered.order_id);
  visit("outcome", answered.outcome);
}

}  // namespace orderd::plugins::isolation
