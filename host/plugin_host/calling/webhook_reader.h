#pragma once
#include <orderd/webhook.h>

#include "plugin_host/loading/instance.h"
#include "plugin_ports/webhook.h"

namespace orderd::plugins {

/// The port on an instance's "orderd.webhook/1", which outlives it. Its constructor throws PluginError if the
/// table has holes.
class WebhookReader final : public WebhookPort {
 public:
  explicit WebhookReader(Instance& instance);
  const std::string& instance() const override { return instance_.name(); }
  const std::string& digest() const override { return instance_.digest(); }
  WebhookResult handle(const WebhookRequest& request) override;

 private:
  Instance& instance_;
  const orderd_webhook_v1* table() const {
    return instance_.extension<orderd_webhook_v1>(ORDERD_EXT_WEBHOOK);
  }
};

}  // namespace orderd::plugins
