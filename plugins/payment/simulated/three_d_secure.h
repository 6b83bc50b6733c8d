#pragma once
// What stands between the bank and its buyers: the page on which they agree, and the webhook that tells the
// shop. Settings: page_port (0: no page, then nobody is asked here), page_url, shop_url, webhook_url,
// webhook_secret.
#include <orderd/services.hpp>

#include <memory>
#include <string>

#include "challenge_store.h"
#include "page.h"
#include "webhook_sender.h"

namespace simulated {

class ThreeDSecure {
 public:
  /// Throws Refused: which setting, and what is wrong with it.
  ThreeDSecure(orderd::sdk::Host host, const std::string& database, const std::string& schema);
  /// After the ledger's tables are there. Throws Refused.
  void start();
  void stop();

  /// Where a buyer is sent, without the payment's id.
  const std::string& page_url() const { return page_url_; }
  const orderd::sdk::Signature& signature() const { return signature_; }
  const std::string& secret() const { return secret_; }

 private:
  const orderd::sdk::Signature signature_;
  const PageOptions page_options_;
  const std::string page_url_, webhook_url_, secret_;
  ChallengeStore challenges_;
  WebhookSender sender_;
  std::unique_ptr<Page> page_;
};

}  // namespace simulated
