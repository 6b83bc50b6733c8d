#include "saga/admission/concurrency_limit.h"

#include <algorithm>
#include <utility>

namespace orderd::saga {
namespace {

constexpr double size_min = 8, size_max = 4096;
constexpr double fewer = 0.7, more = 1.5;
constexpr Millis look_every{500}, quickest_for{60'000};
constexpr int patience_share = 4;
constexpr std::size_t answers_to_believe = 8, answers_kept_max = 2048;  // between two looks

}  // namespace

Permit::~Permit() {
  if (limit_) limit_->out_.erase(order_);
}

Permit& Permit::operator=(Permit&& other) noexcept {
  std::swap(limit_, other.limit_);
  std::swap(order_, other.order_);
  return *this;
}

std::optional<Permit> ConcurrencyLimit::take(const Uuid& order) {
  if (full()) {
    was_full_ = true;
    return std::nullopt;
  }
  out_.emplace(order, Time{});
  return Permit(*this, order);
}

void ConcurrencyLimit::sent(const Uuid& order, Time now) {
  if (const auto found = out_.find(order); found != out_.end()) found->second = now;
}

Time ConcurrencyLimit::sent_at(const Uuid& order) const {
  const auto found = out_.find(order);
  return found == out_.end() ? Time{} : found->second;
}

bool ConcurrencyLimit::answered(const Uuid& order, Time arrived, Millis patience) {
  const auto found = out_.find(order);
  if (found == out_.end() || arrived < found->second) return false;
  const Time sent = found->second;
  out_.erase(found);
  if (sent == Time{}) return true;
  const Millis took = arrived - sent;
  patience_ = patience;
  quickest_lately_ = std::min(quickest_lately_, took);
  quickest_ = std::min(quickest_, took);
  if (took_.size() < answers_kept_max) took_.push_back(took);
  if (arrived - looked_ >= look_every) adjust(arrived);
  return true;
}

void ConcurrencyLimit::adjust(Time now) {
  const auto middle = took_.begin() + static_cast<std::ptrdiff_t>(took_.size() / 2);
  std::nth_element(took_.begin(), middle, took_.end());
  median_ = *middle;
  const bool queues = median_ - quickest_ > patience_ / patience_share || median_ >= patience_;
  if (queues && took_.size() >= answers_to_believe)
    size_ = std::max(size_min, size_ * fewer);
  else if (was_full_)
    size_ = std::min(size_max, size_ * more);
  took_.clear();
  looked_ = now;
  const bool minute_over = now - minute_began_ >= quickest_for;
  if (minute_over) {
    minute_began_ = now;
    quickest_ = std::exchange(quickest_lately_, Millis::max());
    // What was quick while a queue stood at the provider is not what it can do.
    if (was_full_) size_ = std::max(size_min, size_ / 2);
  }
  was_full_ = false;
}

}  // namespace orderd::saga
