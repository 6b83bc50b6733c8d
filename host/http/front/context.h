#pragma once
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/SocketAddress.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "http/front/completion_queue.h"
#include "http/front/front.h"

namespace orderd::http::front {

/// Milliseconds of a clock that only goes forward; coarse, for deadlines.
std::int64_t monotonic_ms();

/// What the parts of one front share. Shared by its exchanges too, as a deferred answer may outlive the
/// front.
struct Context {
  Context(Options given_options, ErrorRenderer given_renderer, Metrics& metrics);

  struct Answer {
    int status;
    std::string_view code, detail;
    std::string_view
        request_id;  // what the client chose, or the exchange has; none that makes sense: a new one
    bool head_request = false;
    std::string_view instance = {}, origin = {};
  };
  /// The bytes of an answer that the front gives by itself; the connection ends with it. [any thread]
  std::string refuse(const Answer& answer) const;

  const Options options;
  const ErrorRenderer renderer;
  const Poco::Net::HTTPServerParams::Ptr params;
  Poco::Net::SocketAddress server;  // constant once the front listens
  CompletionQueue returns;
  std::atomic<bool> draining{false};
  std::atomic<bool> ended{false};  // the I/O thread has gone: whatever still waits for a worker is dropped
  std::atomic<std::int64_t> draining_since_ms{0}, drain_until_ms{0};

  Metrics::Gauge& connections;
  Metrics::Counter &requests, &refused, &timed_out, &shed;
};

}  // namespace orderd::http::front
