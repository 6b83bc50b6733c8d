#pragma once
#include <Poco/Net/SocketAddress.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "http/front/connection_limits.h"
#include "http/front/exchange.h"
#include "http/front/parser.h"

namespace orderd::http::front {

/// One client connection. Only the I/O thread touches it. Its stage says what is awaited and what
/// `deadline_ms` means.
struct Connection {
  enum class Stage : std::uint8_t {
    idle,       // the first byte of a request
    head,       // the rest of its head
    body,       // the rest of its body
    exchange,   // its answer: nothing is read or written meanwhile
    writing,    // the client, to take the answer
    streaming,  // the owner of a stream, to append; and the client, to take what is there
    lingering,  // the client's end, so that the last answer is not lost to a reset
    closed,     // deletion, at the end of this round of the loop
  };
  int fd = -1;
  Stage stage = Stage::idle;
  // Edges that epoll has reported and that have not been used up.
  bool readable = false, writable = true, hung_up = false;
  bool close_after_writing = false;
  bool is_stream = false;
  bool answered = false;  // once at least
  std::size_t index = 0;  // in the loop's list
  std::int64_t deadline_ms = 0;
  std::string in;  // received, not yet parsed: from in_used on
  std::size_t in_used = 0;
  std::string out;  // from out_sent on still to be sent
  std::size_t out_sent = 0, out_counted = 0;
  std::unique_ptr<Parser> parser;      // stages head and body
  std::shared_ptr<Exchange> exchange;  // stages exchange and streaming
  std::deque<StreamQueue::Bytes>
      chunks;  // stage streaming, behind `out`; of the first, out_sent bytes are gone
  Poco::Net::SocketAddress peer;
  std::optional<ConnectionLimits::Key> counted;  // under its address
};

}  // namespace orderd::http::front
