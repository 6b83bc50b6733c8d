#include "bus/kafka/settings.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>

using namespace orderd::bus::kafka;
using Catch::Contains;

namespace {

std::string setting(const Conf& conf, const char* key) {
  char value[256] = "";
  std::size_t size = sizeof value;
  REQUIRE(rd_kafka_conf_get(conf.get(), key, value, &size) == RD_KAFKA_CONF_OK);
  return value;
}

/// An empty file, removed at the end.
class EmptyFile {
 public:
  EmptyFile() {
    char name[] = "/tmp/orderd-empty-XXXXXX";
    close(mkstemp(name));
    path = name;
  }
  ~EmptyFile() { std::remove(path.c_str()); }
  std::string path;
};

}  // namespace

TEST_CASE("A kafka key goes to librdkafka unchanged and overrides the host's default") {
  const Conf conf = make_conf(Role::consumer, {{"fetch.wait.max.ms", "321"}, {"client.rack", "r7"}}, {});
  CHECK(setting(conf, "fetch.wait.max.ms") == "321");
  CHECK(setting(conf, "client.rack") == "r7");
}

TEST_CASE("A key that librdkafka does not know is refused by name") {
  CHECK_THROWS_WITH(make_conf(Role::admin, {{"bootstrap.server", "x:1"}}, {}),
                    Contains("kafka.bootstrap.server:"));
}

TEST_CASE("A value that librdkafka does not take is refused with its key") {
  CHECK_THROWS_WITH(make_conf(Role::producer, {{"batch.size", "big"}}, {}), Contains("kafka.batch.size:"));
}

TEST_CASE("A key on which the host's guarantees rest is refused") {
  const std::string key = GENERATE("group.id", "enable.auto.commit", "auto.offset.reset", "acks",
                                   "enable.idempotence", "transactional.id", "linger.ms");
  CHECK_THROWS_WITH(make_conf(Role::producer, {{key, "1"}}, {}),
                    Contains("kafka." + key + " is decided by orderd"));
}

TEST_CASE("A PEM file that cannot be read is named, with its key and the reason") {
  const std::string key = GENERATE("ssl.ca.location", "ssl.certificate.location", "ssl.key.location");
  const EmptyFile empty;
  CHECK_THROWS_WITH(make_conf(Role::admin, {{"security.protocol", "ssl"}, {key, "/nowhere/file.pem"}}, {}),
                    Contains("kafka." + key) && Contains("/nowhere/file.pem") && Contains("No such file"));
  CHECK_THROWS_WITH(make_conf(Role::admin, {{"security.protocol", "ssl"}, {key, empty.path}}, {}),
                    Contains("kafka." + key) && Contains(empty.path) && Contains("empty"));
}

TEST_CASE("TLS files without kafka.security.protocol are refused: nothing would be encrypted") {
  CHECK_THROWS_WITH(make_conf(Role::admin, {{"ssl.ca.location", "/etc/ssl/certs"}}, {}),
                    Contains("kafka.security.protocol = ssl"));
}

TEST_CASE("A client certificate without its key is refused") {
  CHECK_THROWS_WITH(
      make_conf(Role::admin, {{"security.protocol", "ssl"}, {"ssl.certificate.location", "/etc/hostname"}},
                {}),
      Contains("kafka.ssl.key.location"));
}
