#include "bus/kafka/problems.h"

#include "base/log.h"

namespace orderd::bus::kafka {
namespace {

constexpr std::chrono::seconds log_again{60};    // the same line at most this often
constexpr std::chrono::seconds fades_after{35};  // librdkafka itself repeats an identical error every 30 s
constexpr std::size_t noted_max = 100;           // between two reports; what comes on top says nothing new
constexpr std::size_t logged_max = 100;

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// "ssl://127.0.0.1:9093/bootstrap: SSL handshake…" → "127.0.0.1:9093"; "" when it does not begin with a
/// broker.
std::string broker_of(std::string_view reason) {
  const auto end = reason.find(": ");
  if (end == std::string_view::npos) return "";
  std::string_view name = reason.substr(0, end);
  if (const auto scheme = name.find("://"); scheme != std::string_view::npos) name.remove_prefix(scheme + 3);
  if (const auto slash = name.find('/'); slash != std::string_view::npos) name = name.substr(0, slash);
  return has(name, ":") && !has(name, " ") ? std::string(name) : "";
}

/// What librdkafka says behind the broker's name, without its "(after 3ms in state CONNECT…)".
std::string detail_of(std::string_view reason) {
  if (!broker_of(reason).empty()) reason.remove_prefix(reason.find(": ") + 2);
  if (const auto after = reason.rfind(" (after "); after != std::string_view::npos)
    reason = reason.substr(0, after);
  return std::string(reason);
}

}  // namespace

std::string explain(std::string_view code, std::string_view reason) {
  std::string broker = broker_of(reason);
  const std::string detail = detail_of(reason);
  broker = broker.empty() ? "a broker" : "broker " + broker;
  if (code == "_ALL_BROKERS_DOWN")
    return "no broker of kafka.bootstrap.servers can be reached; see the lines before, check addresses and "
           "network";
  return broker + ": " + std::string(code) + " " + detail;
}

void Problems::note(std::string code, std::string reason) {
  const std::lock_guard lock(mutex_);
  if (noted_.size() < noted_max) noted_.push_back({std::move(code), std::move(reason)});
}

void Problems::note_text(std::string text) { note("", std::move(text)); }

void Problems::report() {
  std::vector<std::string> lines;
  {
    const std::lock_guard lock(mutex_);
    const auto now = Steady::now();
    for (const Noted& noted : std::exchange(noted_, {})) {
      // That all brokers are down says less than what made each of them so.
      if (noted.code == "_ALL_BROKERS_DOWN" && !last_.empty()) continue;
      std::string text = noted.code.empty() ? noted.reason : explain(noted.code, noted.reason);
      last_ = text;
      last_at_ = now;
      const auto found = logged_.find(text);
      if (found != logged_.end() && now - found->second < log_again) continue;
      if (logged_.size() >= logged_max) logged_.clear();
      logged_[text] = now;
      lines.push_back(std::move(text));
    }
  }
  for (const auto& line : lines)
    log_warning("kafka", "Kafka cannot be used as it should; it is tried again", {{"problem", line}});
}

void Problems::clear() {
  const std::lock_guard lock(mutex_);
  last_.clear();
}

void Problems::fade() {
  const std::lock_guard lock(mutex_);
  if (Steady::now() - last_at_ > fades_after) last_.clear();
}

std::string Problems::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

}  // namespace orderd::bus::kafka
