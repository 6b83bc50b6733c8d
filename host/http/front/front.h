#pragma once
#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "http/front/deferred_answer.h"
#include "http/front/parser.h"

namespace orderd::http::front {

/// Where a handler runs.
enum class Lane {
  ordinary,   // on a worker
  apart,      // on one of a few workers of its kind: what may take long keeps no other request waiting
  immediate,  // on the I/O thread: it never waits for anything, and answers while all workers are held
};

struct Options {
  std::string address = "127.0.0.1";  // IPv4 or IPv6; "::" takes both
  std::uint16_t port = 3000;          // 0: any free one, see Front::port()
  unsigned workers = 8;               // threads that run handlers

  MessageLimits message;

  int header_timeout_ms = 5'000;     // from a head's first byte to its last; then 408
  int body_timeout_ms = 30'000;      // from a head's end to the body's last byte; then 408
  int idle_timeout_ms = 60'000;      // between requests; then closed
  int write_timeout_ms = 30'000;     // without the client taking a byte of its answer; then closed
  int linger_timeout_ms = 1'000;     // what still arrives after a last answer is read and dropped so long
  int deferred_timeout_ms = 30'000;  // for a deferred answer, unless its handler says otherwise; then 503
  int handler_timeout_ms = 15'000;   // from a request's end to its handler's, waiting included; then 503

  std::size_t connections_max = 10'000;  // beyond: 503 and closed at once
  std::size_t connections_per_address_max =
      256;                                   // an IPv6 address counts as its /64; never counted on loopback
  std::vector<std::string> trusted_proxies;  // not counted either: "10.0.0.7", "10.0.0.0/8", "fd00::/8"
  bool count_loopback = false;               // for tests of the caps
  std::size_t unsent_bytes_max = 256 * 1024 * 1024;  // of answers that clients have not read; beyond: 503
  std::size_t unsent_bytes_per_address_max = 64 * 1024 * 1024;  // counted as connections are
  std::size_t queue_requests_max = 4'096;                       // waiting for a worker; beyond: 503
  unsigned workers_apart = 2;                                   // threads for Lane::apart
  /// Who runs which handler; empty: the workers all. [I/O thread]
  std::function<Lane(std::string_view method, std::string_view path)> lane_of = {};
};

/// An answer that the front gives by itself: a request it refuses, an overload, a handler that failed.
struct Refusal {
  int status;
  std::string_view code;        // stable, such as MALFORMED_REQUEST
  std::string_view detail;      // a sentence for the reader
  std::string_view request_id;  // also sent as X-Request-Id
  std::string_view instance;    // the path that was asked for; "" if that was not understood
  std::string_view origin;      // the request's Origin; "" if there is none
};
struct Rendered {
  std::string body;
  Fields
      fields;  // Content-Type and others; framing, Date, X-Request-Id and Retry-After (503) are the front's
};
/// How a refusal looks. [any thread]
using ErrorRenderer = std::function<Rendered(const Refusal&)>;
/// `application/problem+json` (RFC 9457).
Rendered render_problem(const Refusal& refusal);

/// An HTTP/1.1 server in front of ordinary Poco request handlers. One thread accepts, reads, checks and
/// writes for all connections; a few workers run handlers, and only ever on complete requests. So idle, slow
/// and hostile clients hold memory, never a thread. A handler that hangs holds its worker, and no client
/// longer than handler_timeout_ms. Owned by main; starts with its construction. Handlers
/// find Request and Response behind Poco's types, for deferred answers and for taking a socket over. The
/// factory is called by every worker.
///
/// Raises orderd_http_connections, _requests_total, _refused_total, _timed_out_total and _shed_total in
/// `metrics`.
class Front {
 public:
  /// Throws std::runtime_error if it cannot listen ("port 3000 is in use …") or an option makes no sense.
  Front(Options options, Poco::Net::HTTPRequestHandlerFactory::Ptr factory,
        ErrorRenderer renderer = render_problem, Metrics& metrics = orderd::metrics());
  /// Drains with no patience.
  ~Front();
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  std::uint16_t port() const;
  bool draining() const;
  /// Stops accepting, closes idle connections, answers what runs or is deferred with `Connection: close`, and
  /// ends all threads. True if everything was answered within `timeout`; what was not is cut off. Waits for
  /// running handlers, which must not run much longer than that.
  bool drain(std::chrono::milliseconds timeout);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace orderd::http::front
