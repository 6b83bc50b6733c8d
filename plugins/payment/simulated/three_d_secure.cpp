#include "three_d_secure.h"

#include <Poco/Exception.h>
#include <Poco/URI.h>

namespace simulated {
namespace {

using orderd::sdk::Host;
using orderd::sdk::Refused;

PageOptions page_options(const Host& host) {
  return {static_cast<std::uint16_t>(host.setting("page_port", 0, 0, 65'535)), host.setting("shop_url", ""),
          [clock = orderd::sdk::Clock(host)] { return clock.now_ms(); }};
}

std::string page_url(const Host& host, std::uint16_t port) {
  const std::string here = port == 0 ? "https://bank.example" : "http://127.0.0.1:" + std::to_string(port);
  return host.setting("page_url", here.c_str()) + "/3ds/";
}

std::string webhook_url(const Host& host, std::uint16_t port) {
  if (port == 0) return host.setting("webhook_url", "");
  const std::string given = host.required_setting("webhook_url");
  try {
    const Poco::URI uri(given);
    if (uri.getScheme() == "http" && !uri.getHost().empty()) return given;
  } catch (const Poco::SyntaxException&) {}
  throw Refused("setting \"webhook_url\" is \"" + given +
                "\": give http://<host>:<port>/api/webhooks/<this instance>");
}

}  // namespace

ThreeDSecure::ThreeDSecure(Host host, const std::string& database, const std::string& schema)
    : signature_(host),
      page_options_(page_options(host)),
      page_url_(simulated::page_url(host, page_options_.port)),
      webhook_url_(webhook_url(host, page_options_.port)),
      secret_(page_options_.port == 0 ? host.setting("webhook_secret", "")
                                      : host.required_setting("webhook_secret")),
      challenges_(database, schema, "orderd " + std::string(host.instance()) + " page"),
      sender_(challenges_, host, webhook_url_, secret_) {}

void ThreeDSecure::start() {
  if (page_options_.port == 0) return;
  try {
    page_ = std::make_unique<Page>(page_options_, challenges_, [this] { sender_.wake(); });
  } catch (const Poco::Exception& error) {
    throw Refused("setting \"page_port\" is " + std::to_string(page_options_.port) + ": " +
                  error.displayText() + "; give a port that is free on 127.0.0.1");
  }
  sender_.start();
}

void ThreeDSecure::stop() {
  page_.reset();
  sender_.stop();
}

}  // namespace simulated
