#include "bus/kafka/problems.h"

#include <catch2/catch.hpp>

using namespace orderd::bus::kafka;
using Catch::Contains;

TEST_CASE("An error of librdkafka is explained: which broker, what happened, what to do") {
  struct Example {
    const char *code, *reason;
    std::vector<std::string> parts;
  };
  const Example example = GENERATE(values<Example>({
      {"_SSL",
       "ssl://10.0.0.7:9093/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify "
       "failed: broker "
       "certificate could not be verified, verify that ssl.ca.location is correctly configured or root CA "
       "certificates are "
       "installed (install ca-certificates package) (after 6ms in state SSL_HANDSHAKE)",
       {"broker 10.0.0.7:9093", "not trusted", "kafka.ssl.ca.location"}},
      {"_TRANSPORT",
       "ssl://10.0.0.7:9093/bootstrap: Receive failed: error:0A000412:SSL routines::sslv3 alert bad "
       "certificate: SSL alert "
       "number 42 (after 0ms in state APIVERSION_QUERY)",
       {"broker 10.0.0.7:9093", "got none", "kafka.ssl.certificate.location", "kafka.ssl.key.location"}},
      {"_TRANSPORT",
       "ssl://10.0.0.7:9093/1: Receive failed: error:0A000416:SSL routines::sslv3 alert certificate unknown: "
       "SSL alert "
       "number 46 (after 5ms in state APIVERSION_QUERY)",
       {"broker 10.0.0.7:9093", "refused this client's certificate", "kafka.ssl.certificate.location"}},
      {"_TRANSPORT",
       "ssl://10.0.0.7:9093/bootstrap: Disconnected while requesting ApiVersion: might be caused by broker "
       "version < 0.10 "
       "(see api.version.request) (after 1ms in state APIVERSION_QUERY)",
       {"broker 10.0.0.7:9093", "right after the TLS handshake", "may demand a client certificate",
        "kafka.ssl.certificate.location"}},
      {"_TRANSPORT",
       "10.0.0.7:9093/bootstrap: Disconnected while requesting ApiVersion: might be caused by incorrect "
       "security.protocol "
       "configuration (connecting to a SSL listener?) or broker version is < 0.10 (see api.version.request) "
       "(after 1ms in "
       "state APIVERSION_QUERY)",
       {"broker 10.0.0.7:9093", "may speak TLS", "kafka.security.protocol = ssl"}},
      {"_SSL",
       "ssl://10.0.0.7:9092/bootstrap: SSL handshake failed: error:0A000126:SSL routines::unexpected eof "
       "while reading (after "
       "5ms in state SSL_HANDSHAKE)",
       {"broker 10.0.0.7:9092", "may be a plain one"}},
      {"_TRANSPORT",
       "10.0.0.7:9092/bootstrap: Connect to ipv4#10.0.0.7:9092 failed: Connection refused (after 0ms in "
       "state CONNECT)",
       {"broker 10.0.0.7:9092", "nothing listens there", "kafka.bootstrap.servers"}},
      {"_RESOLVE",
       "kafka.example:9092/bootstrap: Failed to resolve 'kafka.example:9092': Name or service not known "
       "(after 0ms in state CONNECT)",
       {"broker kafka.example:9092", "cannot be resolved", "DNS"}},
      {"_AUTHENTICATION",
       "sasl_ssl://10.0.0.7:9092/bootstrap: SASL authentication error: Authentication failed (after 9ms in "
       "state AUTH_REQ)",
       {"broker 10.0.0.7:9092", "refused the login", "kafka.sasl.username"}},
      {"TOPIC_AUTHORIZATION_FAILED",
       "Fetch from broker 1 failed: Broker: Topic authorization failed",
       {"right to read"}},
      {"_BAD_MSG",
       "10.0.0.7:9092/1: something that nobody has met before (after 3ms in state UP)",
       {"broker 10.0.0.7:9092", "something that nobody has met before (librdkafka error _BAD_MSG)"}},
  }));
  const Explanation explained = explain(example.code, example.reason);
  INFO(explained.text);
  for (const auto& part : example.parts) CHECK_THAT(explained.text, Contains(part));
  CHECK_THAT(explained.text, !Contains("(after "));
}

TEST_CASE("A connection that ended without any complaint is no problem") {
  CHECK(explain("_TRANSPORT", "10.0.0.7:9092/1: Disconnected (after 600000ms in state UP)").text.empty());
}

TEST_CASE("The last problem is the last one reported, until Kafka works again") {
  Problems problems;
  CHECK(problems.last() == "");
  problems.note("_TRANSPORT",
                "10.0.0.7:9092/bootstrap: Connect to ipv4#10.0.0.7:9092 failed: Connection refused");
  problems.note("_ALL_BROKERS_DOWN", "1/1 brokers are down");
  problems.report();
  CHECK_THAT(problems.last(), Contains("nothing listens there"));
  problems.clear();
  CHECK(problems.last() == "");
}

TEST_CASE("A problem noted just now does not fade because something else answered") {
  Problems problems;
  problems.note_text("topic t has 2 partitions, fewer than the 4 shards");
  problems.report();
  problems.fade();
  CHECK(problems.last() == "topic t has 2 partitions, fewer than the 4 shards");
}
