#pragma once
// The checker's network: plain HTTP to this machine, for a plugin whose provider is a test server here.
#include <orderd/testing/fake_http.hpp>

namespace orderd::checker {

/// One request on a connection of its own, answered before it returns. Any other address than
/// http://127.0.0.1:<port> is NOT_SENT.
testing::HttpAnswer over_loopback(const testing::HttpRequest& request);

}  // namespace orderd::checker
