#include "saga/admission/admission.h"

#include <algorithm>

namespace orderd::saga {
namespace {

constexpr std::size_t orders_failed_max = 5;
constexpr Millis silence_least{1000};  // at hundreds of answers a second five failures in a row are chance
constexpr Millis wait_first{1000}, wait_max{5000};
constexpr Millis probe_lost_after{30'000};  // a probe that was never sent, or whose answer went elsewhere
constexpr double per_second_least = 40, per_second_free = 2000;
constexpr Millis ramp_step{250};      // in which the rate doubles
constexpr double first_share = 0.25;  // of a usual second
constexpr const char* capture = "payment.capture";
constexpr std::size_t looks_per_release_max = 512;

}  // namespace

void CircuitBreaker::change(State state, Time now) {
  if (state_ != state) since_ = now;
  state_ = state;
}

void CircuitBreaker::count_usual(Time now) {
  const double seconds = static_cast<double>((now - counted_since_).count()) / 1000.0;
  if (seconds >= 1.0) {
    usual_ = (usual_ + counted_ / seconds) / 2;
    counted_ = 0;
    counted_since_ = now;
  }
  ++counted_;
}

void CircuitBreaker::refill(Time now) {
  left_ = per_second_ * static_cast<double>(ramp_step.count()) / 1000.0;
  refilled_ = now;
}

bool CircuitBreaker::admit(Time now) {
  if (state_ == State::closed) return true;
  if (state_ == State::open) {
    if (now < probe_at_) return false;
    change(State::half_open, now);
    probe_sent_ = now;
    per_second_ = 0;
    return true;
  }
  if (per_second_ == 0) {  // the probe is out
    if (now - probe_sent_ < probe_lost_after) return false;
    probe_sent_ = now;
    return true;
  }
  if (now - refilled_ >= ramp_step) {
    per_second_ *= 2;
    refill(now);
  }
  if (per_second_ > per_second_free) {
    change(State::closed, now);
    return true;
  }
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

bool CircuitBreaker::shut(Time now) const {
  if (state_ == State::open) return now < probe_at_;
  return state_ == State::half_open && per_second_ == 0 && now - probe_sent_ < probe_lost_after;
}

void CircuitBreaker::answered(const Uuid& order, bool reached, Time sent, Time now) {
  if (reached) {
    last_success_ = now;
    failed_.clear();
    wait_ = wait_first;
    if (state_ == State::closed) count_usual(now);
    if (state_ == State::closed || per_second_ > 0) return;
    change(State::half_open, now);
    per_second_ = std::max(per_second_least, usual_ * first_share);
    refill(now);
    counted_ = 0;
    counted_since_ = now;
    return;
  }
  const bool probing = state_ == State::half_open && per_second_ == 0;
  if (sent < last_success_ || (probing && sent < probe_sent_)) return;
  failed_.insert(order);
  const bool may_be_chance = failed_.size() < orders_failed_max || now - last_success_ < silence_least;
  if (state_ == State::open || (!probing && may_be_chance)) return;
  if (state_ != State::closed) wait_ = std::min(wait_max, wait_ * 2);
  change(State::open, now);
  per_second_ = 0;
  probe_at_ = now + wait_;
  failed_.clear();
}

bool Admission::paused(const std::string& instance, const std::string& action) const {
  return switches_.contains("plugin:" + instance) || (action == capture && switches_.contains("captures"));
}

bool Admission::shut(const std::string& instance, const std::string& action) const {
  const auto breaker = breakers_.find(instance);
  return paused(instance, action) ||
         (breaker != breakers_.end() && breaker->second.state() == CircuitBreaker::State::open);
}

std::size_t Admission::held(const std::string& instance) const {
  const auto found = held_.find(instance);
  return found == held_.end() ? 0 : found->second.orders.size();
}

void Admission::Held::erase(const Uuid& order) {
  const auto found = orders.find(order);
  if (found == orders.end()) return;
  captures -= found->second;
  orders.erase(found);
}

std::optional<Permit> Admission::let_out(const std::string& instance, const Uuid& order, Time now) {
  std::optional<Permit> permit = limits_[instance].take(order);
  return permit && breakers_[instance].admit(now) ? std::move(permit) : std::nullopt;
}

std::optional<Permit> Admission::admit(const std::string& instance, const std::string& action,
                                       const Uuid& order, Time now) {
  return paused(instance, action) ? std::nullopt : let_out(instance, order, now);
}

Admission::Answered Admission::answered(const std::string& instance, const Uuid& order, const Heard& heard) {
  ConcurrencyLimit& limit = limits_[instance];
  const Time sent = limit.sent_at(order);
  breakers_[instance].answered(order, heard.reached, sent, heard.arrived);
  const bool is_over = limit.answered(order, heard.arrived, heard.patience);
  if (sent == Time{} || heard.arrived < sent) return {is_over, std::nullopt};
  return {is_over, heard.arrived - sent};
}

void Admission::hold(const std::string& instance, const std::string& action, const Uuid& order, bool begun) {
  Held& held = held_[instance];
  if (!held.orders.emplace(order, action == capture).second) return;
  held.captures += action == capture;
  held.lines[begun ? 0 : 1].push_back(order);
}

void Admission::forget(const Uuid& order) {
  for (auto& [instance, held] : held_) held.erase(order);
}

std::vector<std::pair<Uuid, Permit>> Admission::release(
    Time now, const std::function<std::string(const Uuid&)>& action_of) {
  std::vector<std::pair<Uuid, Permit>> out;
  for (auto& [instance, held] : held_) {
    for (std::deque<Uuid>& line : held.lines) {
      for (std::size_t looks = std::min(line.size(), looks_per_release_max); looks > 0; --looks) {
        const Uuid id = line.front();
        if (!held.orders.contains(id)) {
          line.pop_front();
          continue;
        }
        const std::string action = action_of(id);
        const bool waits = !action.empty() && paused(instance, action);
        std::optional<Permit> permit;
        if (!action.empty() && !waits && !(permit = let_out(instance, id, now))) break;
        line.pop_front();
        if (waits) {
          line.push_back(id);
          continue;
        }
        held.erase(id);
        if (permit) out.emplace_back(id, std::move(*permit));
      }
    }
  }
  return out;
}

bool Admission::holds_any() const {
  return std::any_of(held_.begin(), held_.end(), [](const auto& one) { return !one.second.orders.empty(); });
}

std::size_t Admission::waiting_for_room() const {
  std::size_t sum = 0;
  for (const auto& [instance, held] : held_) {
    const auto breaker = breakers_.find(instance);
    const bool reachable =
        breaker == breakers_.end() || breaker->second.state() != CircuitBreaker::State::open;
    if (!reachable || switches_.contains("plugin:" + instance)) continue;
    sum += held.orders.size() - (switches_.contains("captures") ? held.captures : 0);
  }
  return sum;
}

std::set<std::string> Admission::broken(Time now) const {
  std::set<std::string> out;
  for (const auto& [instance, breaker] : breakers_)
    if (breaker.shut(now)) out.insert(instance);
  for (const std::string& one : switches_)
    if (one.rfind("plugin:", 0) == 0) out.insert(one.substr(7));
  return out;
}

std::vector<PluginStatus> Admission::status(const std::set<std::string>& instances) const {
  static constexpr const char* names[] = {"closed", "open", "half_open"};
  std::vector<PluginStatus> out;
  for (const std::string& instance : instances) {
    PluginStatus one{instance, names[0], 0, {}};
    if (const auto found = breakers_.find(instance); found != breakers_.end()) {
      one.breaker = names[static_cast<std::size_t>(found->second.state())];
      one.since = found->second.since();
    }
    if (const auto found = held_.find(instance); found != held_.end())
      one.parked = static_cast<std::int32_t>(found->second.orders.size());
    out.push_back(std::move(one));
  }
  return out;
}

const ConcurrencyLimit* Admission::concurrency_limit(const std::string& instance) const {
  const auto found = limits_.find(instance);
  return found == limits_.end() ? nullptr : &found->second;
}

}  // namespace orderd::saga
