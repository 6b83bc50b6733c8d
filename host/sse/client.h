#pragma once
// One client of a stream, as a port: whoever owns the socket (http/front) adapts to it.
#include <memory>
#include <string>

namespace orderd::sse {

class Client {
 public:
  using Bytes = std::shared_ptr<const std::string>;  // shared by the clients of one order
  enum class State { open, gone, slow };             // slow: ended because it did not read
  virtual ~Client() = default;
  /// Never waits; without effect once it is not open any more.
  virtual void send(Bytes bytes) = 0;
  /// After what was sent before.
  virtual void end() = 0;
  virtual State state() const = 0;
};

}  // namespace orderd::sse
