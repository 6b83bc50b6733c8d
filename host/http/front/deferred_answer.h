#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace orderd::http::front {

class Exchange;

using Fields = std::vector<std::pair<std::string, std::string>>;

/// The duty to answer one request later, made by Request::defer(). Its handler returns at once and holds no
/// worker; whoever has the result finishes the answer, so that hundreds of requests can wait for one commit.
/// Later requests of the same connection wait for it: answers leave in order.
///
/// Finishing is cheap: the answer is queued for the I/O thread, which is woken only if it sleeps, so a batch
/// of answers costs about one system call. It is harmless after the client has gone, after the deadline (the
/// front then has answered 503) and after the front's own end. Dropping it unfinished answers 500 and closes.
/// [any thread, one at a time]
class DeferredAnswer {
 public:
  DeferredAnswer() = default;
  explicit DeferredAnswer(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  DeferredAnswer(DeferredAnswer&&) noexcept = default;
  DeferredAnswer& operator=(DeferredAnswer&& other) noexcept;
  ~DeferredAnswer();

  /// Answers, once; this object is empty afterwards. Fields that the handler set on its response before it
  /// deferred (X-Request-Id, say) are sent as well; a field given here replaces one of the same name.
  void finish(int status, const Fields& fields, std::string body);
  /// False once finished or moved from.
  explicit operator bool() const { return exchange_ != nullptr; }

 private:
  std::shared_ptr<Exchange>
      exchange_;  // shared: the front watches its deadline, the worker may still be returning
};

}  // namespace orderd::http::front
