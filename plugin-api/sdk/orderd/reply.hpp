// The handle that gives an outcome to the host exactly once.
#ifndef ORDERD_SDK_REPLY_HPP
#define ORDERD_SDK_REPLY_HPP

#include <orderd/step.h>

#include <utility>

#include "host.hpp"
#include "outcome.hpp"

namespace orderd::sdk {

/// The right to answer one command, once. Move it to whoever will; dropped without an answer it says UNKNOWN.
class Reply {
 public:
  Reply(Host host, orderd_ticket ticket) : host_(host), ticket_(ticket) {}
  Reply(Reply&& other) noexcept
      : host_(other.host_), ticket_(std::exchange(other.ticket_, orderd_ticket{})) {}
  Reply& operator=(Reply&& other) noexcept {
    std::swap(ticket_, other.ticket_);
    std::swap(host_, other.host_);
    return *this;
  }
  ~Reply() {
    if (!open()) return;
    orderd_outcome outcome;  // of literals only: nothing here may throw
    ORDERD_CLEAR(outcome);
    outcome.kind = ORDERD_UNKNOWN;
    outcome.code = orderd_text("NO_ANSWER");
    outcome.message = orderd_text("the plugin dropped the command without an answer");
    host_.complete(ticket_, outcome);
  }

  bool open() const { return ticket_.generation != 0; }
  orderd_ticket ticket() const { return ticket_; }
  /// The host cancelled the ticket: no answer is owed any more.
  void forget() { ticket_ = {}; }
  /// What the host thinks of it; ORDERD_E_STALE if it came after the deadline. Nothing follows an answer.
  orderd_status operator()(const Outcome& outcome) {
    return host_.complete(std::exchange(ticket_, orderd_ticket{}), outcome.abi());
  }

 private:
  Host host_;
  orderd_ticket ticket_;
};

}  // namespace orderd::sdk
#endif
