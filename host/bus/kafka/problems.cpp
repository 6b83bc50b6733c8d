#include "bus/kafka/problems.h"

#include <algorithm>

#include "base/log.h"

namespace orderd::bus::kafka {
namespace {

constexpr std::chrono::seconds log_again{60};    // the same line at most this often
constexpr std::chrono::seconds fades_after{35};  // librdkafka itself repeats an identical error every 30 s
constexpr std::size_t noted_max = 100;           // between two reports; what comes on top says nothing new
constexpr std::size_t logged_max = 100;

/// What a part of librdkafka's or OpenSSL's text means, and what to do about it. The first row that fits
/// counts.
struct Meaning {
  std::string_view part;  // of the code or the reason
  std::string_view text;
};

constexpr Meaning meanings[] = {
    {"certificate verify failed",
     "its certificate is not trusted. Set kafka.ssl.ca.location to the PEM file of the CA that signed it, "
     "and use a host "
     "name that the certificate names"},
    {"alert bad certificate",
     "it refused this client's certificate, or got none. Set kafka.ssl.certificate.location and "
     "kafka.ssl.key.location "
     "to a client certificate signed by a CA that the broker trusts"},
    {"certificate required",
     "it demands a client certificate. Set kafka.ssl.certificate.location and kafka.ssl.key.location"},
    {"alert certificate expired",
     "this client's certificate has expired. Renew kafka.ssl.certificate.location"},
    {"alert ",
     "it refused this client's certificate. kafka.ssl.certificate.location must be signed by a CA that the "
     "broker trusts, "
     "valid now, and meant for clients"},
    {"unexpected eof while reading",
     "it ended the TLS handshake: this port may be a plain one. Use the port of its TLS listener, or set "
     "kafka.security.protocol = plaintext"},
    {"wrong version number",
     "it does not speak TLS at this port. Use the port of its TLS listener, or set kafka.security.protocol = "
     "plaintext"},
    {"PLAINTEXT broker listener",
     "it ended the TLS handshake: this port may be a plain one. Use the port of its TLS listener, or set "
     "kafka.security.protocol = plaintext"},
    {"connecting to a SSL listener",
     "it closed the connection at once: this port may speak TLS. Set kafka.security.protocol = ssl and "
     "kafka.ssl.ca.location, or use the port of its plain listener"},
    {"might be caused by broker version",
     "it closed the connection right after the TLS handshake: it may demand a client certificate. Set "
     "kafka.ssl.certificate.location and kafka.ssl.key.location"},
    {"might require SASL",
     "it closed the connection at once: it may demand a login. Set kafka.security.protocol, "
     "kafka.sasl.mechanism, "
     "kafka.sasl.username and kafka.sasl.password"},
    {"_AUTHENTICATION",
     "it refused the login. Check kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.password"},
    {"_RESOLVE", "its name cannot be resolved. Check kafka.bootstrap.servers and this machine's DNS"},
    {"Connection refused", "nothing listens there. Check kafka.bootstrap.servers, and that the broker runs"},
    {"No route to host",
     "it cannot be reached. Check the network, and the address that the broker advertises"},
    {"timed out", "it does not answer in time. Check the network, firewalls, and the broker's load"},
    {"AUTHORIZATION_FAILED",
     "this user may not do that. Give it the right to read, write and describe the topic, and "
     "to read the groups that begin with orderd-"},
    {"_ALL_BROKERS_DOWN",
     "none of the brokers can be reached. Check kafka.bootstrap.servers and the network"},
};

constexpr std::string_view all_down = "_ALL_BROKERS_DOWN";

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

constexpr std::string_view coordinator = "GroupCoordinator: ";  // stands before a broker's name

/// "ssl://127.0.0.1:9093/bootstrap: SSL handshake…" → "127.0.0.1:9093"; "" when it does not begin with a
/// broker.
std::string_view broker_of(std::string_view reason) {
  if (reason.starts_with(coordinator)) reason.remove_prefix(coordinator.size());
  const auto end = reason.find(": ");
  if (end == std::string_view::npos) return "";
  std::string_view name = reason.substr(0, end);
  if (const auto scheme = name.find("://"); scheme != std::string_view::npos) name.remove_prefix(scheme + 3);
  name = name.substr(0, name.find('/'));
  return has(name, ":") && !has(name, " ") ? name : "";
}

/// What librdkafka says behind the broker's name, without its "(after 3ms in state CONNECT…)".
std::string_view detail_of(std::string_view reason) {
  if (reason.starts_with(coordinator)) reason.remove_prefix(coordinator.size());
  if (!broker_of(reason).empty()) reason.remove_prefix(reason.find(": ") + 2);
  return reason.substr(0, reason.rfind(" (after "));
}

/// A broker restarts, or ends an idle connection: librdkafka connects again, and says more if it cannot.
/// Fatal errors are the publisher's to tell.
bool is_everyday(std::string_view code, std::string_view detail) {
  return code == "_FATAL" || detail == "Disconnected";
}

/// librdkafka guesses at wrong settings when a young connection ends. Where they were right once, a broker
/// restarts.
bool is_guess(std::string_view reason) {
  return has(reason, "might require SASL") || has(reason, "might be caused by");
}

}  // namespace

Explanation explain(std::string_view code, std::string_view reason) {
  const std::string detail(detail_of(reason));
  if (is_everyday(code, detail)) return {"", detail};
  const std::string_view broker = broker_of(reason);
  const std::string subject = broker.empty() ? "Kafka: " : "broker " + std::string(broker) + ": ";
  for (const auto& [part, text] : meanings)
    if (has(code, part) || has(reason, part)) return {subject + std::string(text), detail};
  return {subject + detail + " (librdkafka error " + std::string(code) + ")", detail};
}

void Problems::note(std::string code, std::string reason) {
  const std::lock_guard lock(mutex_);
  if (noted_.size() < noted_max) noted_.push_back({std::move(code), std::move(reason)});
}

void Problems::note_text(std::string text) { note("", std::move(text)); }

void Problems::report() {
  std::vector<Explanation> lines;
  {
    const std::lock_guard lock(mutex_);
    const auto now = Steady::now();
    // That all brokers are down says less than what made each of them so.
    std::stable_partition(noted_.begin(), noted_.end(),
                          [](const Noted& one) { return one.code != all_down; });
    for (const Noted& noted : std::exchange(noted_, {})) {
      if (noted.code == all_down && !last_.empty()) continue;
      if (worked_ && is_guess(noted.reason)) continue;
      Explanation line =
          noted.code.empty() ? Explanation{noted.reason, ""} : explain(noted.code, noted.reason);
      if (line.text.empty()) continue;
      last_ = line.text;
      last_at_ = now;
      const auto found = logged_.find(line.text);
      if (found != logged_.end() && now - found->second < log_again) continue;
      if (logged_.size() >= logged_max) logged_.clear();
      logged_[line.text] = now;
      lines.push_back(std::move(line));
    }
  }
  constexpr std::string_view text = "Kafka cannot be used as it should; trying again";
  for (const auto& line : lines) {
    if (line.detail.empty())
      log_warning("kafka", text, {{"problem", line.text}});
    else
      log_warning("kafka", text, {{"problem", line.text}, {"librdkafka", line.detail}});
  }
}

void Problems::clear() {
  const std::lock_guard lock(mutex_);
  worked_ = true;
  last_.clear();
}

void Problems::fade() {
  const std::lock_guard lock(mutex_);
  worked_ = true;
  if (Steady::now() - last_at_ > fades_after) last_.clear();
}

std::string Problems::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

}  // namespace orderd::bus::kafka
