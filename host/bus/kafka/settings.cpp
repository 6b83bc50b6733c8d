#include "bus/kafka/settings.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>

namespace orderd::bus::kafka {
namespace {

constexpr std::size_t error_text_bytes = 512;

// Latency first; memory of one client bounded. The operator's own keys override each of these.
const Properties& defaults(Role role) {
  static const Properties common{{"client.id", "orderd"},
                                 {"socket.nagle.disable", "true"},
                                 {"socket.keepalive.enable", "true"},
                                 {"reconnect.backoff.ms", "50"},
                                 {"reconnect.backoff.max.ms", "1000"}};
  static const Properties consumer = [] {
    Properties all = common;
    // One fetch is under way per broker: a partition that is started now waits for it to come back.
    all.insert({{"fetch.wait.max.ms", "50"},
                {"fetch.error.backoff.ms", "100"},
                {"queued.min.messages", "10000"},
                {"queued.max.messages.kbytes", "8192"}});
    return all;
  }();
  static const Properties producer = [] {
    Properties all = common;
    // The publisher says when a batch is complete; the time is for the case that it was heard too late.
    // Compressed, a request is one piece: one TLS record instead of several for each event.
    all.insert({{"linger.ms", "5"}, {"compression.type", "lz4"}, {"queue.buffering.max.kbytes", "131072"}});
    return all;
  }();
  switch (role) {
    case Role::admin:
      return common;
    case Role::consumer:
      return consumer;
    case Role::producer:
      return producer;
  }
  return common;
}

// The host's guarantees rest on these; another value would break one silently.
const std::set<std::string, std::less<>> decided_by_host{"group.id",
                                                         "group.instance.id",
                                                         "enable.auto.commit",
                                                         "enable.auto.offset.store",
                                                         "auto.offset.reset",
                                                         "transactional.id",
                                                         "enable.idempotence",
                                                         "acks",
                                                         "request.required.acks",
                                                         "enable.gapless.guarantee",
                                                         "linger.ms",
                                                         "queue.buffering.max.ms"};

void set(rd_kafka_conf_t* conf, const std::string& key, const std::string& value) {
  char why[error_text_bytes] = "";
  if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), why, sizeof why) == RD_KAFKA_CONF_OK) return;
  throw std::invalid_argument("kafka." + key + ": " + why +
                              " (every kafka.* key is one of librdkafka's configuration properties)");
}

/// librdkafka says "No such file" for some of these and an OpenSSL number for others: say it before it does.
void require_readable(const std::string& key, const std::string& path) {
  std::ifstream file(path);
  if (file.is_open() && file.peek() != std::ifstream::traits_type::eof()) return;
  const std::string why = file.is_open() ? "the file is empty or not a file" : std::strerror(errno);
  throw std::invalid_argument("kafka." + key + ": cannot read " + path + ": " + why +
                              "; it must be a file that the user orderd runs as can read");
}

void check_tls(const Properties& operators) {
  for (const char* key : {"ssl.certificate.location", "ssl.key.location", "ssl.keystore.location"})
    if (const auto found = operators.find(key); found != operators.end())
      require_readable(key, found->second);
  if (const auto ca = operators.find("ssl.ca.location"); ca != operators.end())
    if (ca->second != "probe" &&
        !std::filesystem::is_directory(ca->second))  // librdkafka takes these as well
      require_readable(ca->first, ca->second);
  const auto first_ssl = operators.lower_bound("ssl.");
  const bool has_ssl = first_ssl != operators.end() && first_ssl->first.starts_with("ssl.");
  if (has_ssl && !operators.contains("security.protocol"))
    throw std::invalid_argument(
        "kafka." + first_ssl->first +
        " is set but kafka.security.protocol is not, so nothing would be encrypted; set "
        "kafka.security.protocol = ssl");
  if (operators.contains("ssl.certificate.location") != operators.contains("ssl.key.location") &&
      !operators.contains("ssl.key.pem") && !operators.contains("ssl.certificate.pem"))
    throw std::invalid_argument(
        "kafka.ssl.certificate.location and kafka.ssl.key.location belong together: set both or none");
}

}  // namespace

Conf make_conf(Role role, const Properties& operators, const Properties& own) {
  Conf conf(rd_kafka_conf_new());
  for (const auto& [key, value] : defaults(role)) set(conf.get(), key, value);
  check_tls(operators);
  for (const auto& [key, value] : operators) {
    if (decided_by_host.contains(key))
      throw std::invalid_argument("kafka." + key + " is decided by orderd; remove it from the configuration");
    set(conf.get(), key, value);
  }
  for (const auto& [key, value] : own) set(conf.get(), key, value);
  return conf;
}

Client make_client(Role role, Conf conf) {
  char why[error_text_bytes] = "";
  const auto type = role == Role::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
  Client client(rd_kafka_new(type, conf.get(), why, sizeof why));
  if (!client) throw std::invalid_argument(std::string("kafka: ") + why);
  static_cast<void>(conf.release());  // rd_kafka_new took it
  return client;
}

}  // namespace orderd::bus::kafka
