#pragma once
// The page on which the bank asks its buyer to agree to a payment: GET and POST /3ds/<payment>. An HTTP
// server of its own, on a loopback port that hosts of one machine may share.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "challenge_store.h"

namespace Poco::Net {
class HTTPServer;
}

namespace simulated {

struct PageOptions {
  std::uint16_t port = 0;
  std::string shop_url;                  // the payment's id is appended; "": no way back is shown
  std::function<std::int64_t()> now_ms;  // the host's clock
};

class Page {
 public:
  /// Listens. `answered` is called after each answer of a buyer, on a thread of the server. Throws
  /// Poco::Exception.
  Page(PageOptions options, ChallengeStore& challenges, std::function<void()> answered);
  ~Page();

 private:
  std::unique_ptr<Poco::Net::HTTPServer> server_;
};

}  // namespace simulated
