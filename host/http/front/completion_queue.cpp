#include "http/front/completion_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <system_error>

#include "http/front/exchange.h"

namespace orderd::http::front {

CompletionQueue::CompletionQueue() : wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (wake_fd_ < 0) throw std::system_error(errno, std::generic_category(), "http front: eventfd");
}

CompletionQueue::~CompletionQueue() { ::close(wake_fd_); }

void CompletionQueue::push(std::shared_ptr<Exchange> exchange) {
  bool must_wake;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    items_.push_back(std::move(exchange));
    must_wake = std::exchange(sleeping_, false);
  }
  if (must_wake) wake();
}

void CompletionQueue::wake() {
  const std::uint64_t one = 1;
  // It can only fail when the counter is full, and then the I/O thread is being woken already.
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

void CompletionQueue::woken() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_fd_, &count, sizeof count);
}

void CompletionQueue::take(Items& items) {
  items.clear();
  std::lock_guard lock(mutex_);
  items.swap(items_);
  sleeping_ = items.empty();
}

void CompletionQueue::close() {
  Items dropped;
  std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(items_);
}

}  // namespace orderd::http::front
