#pragma once
// Who asks, found out once per request before any route sees it (gate.h) and judged by authorize()
// (access.h).
#include <memory>
#include <string>

#include "auth/key.h"

namespace orderd::http {

struct Identity {
  bool keys_required = false;
  std::shared_ptr<const auth::Key> key;  // a live one; shared, as the keyring may drop it meanwhile
  bool key_refused = false;              // a key was shown that is none, or not any more
  bool keys_unavailable = false;         // the host cannot tell at the moment
  std::string client{};                  // the key, or else the address: what one client's share counts by
  bool local = false;                    // asked on this machine, by itself and through no proxy
};

}  // namespace orderd::http
