#include "base/metrics.h"

#include <catch2/catch.hpp>

namespace orderd {
namespace {

TEST_CASE("A histogram is shown in seconds, each bucket with all that were faster") {
  Metrics metrics;
  Metrics::Histogram& took = metrics.durations("took_seconds", "How long", {{"instance", "a"}});
  for (const int ms : {0, 1, 2, 700, 1'000'000}) observe(took, std::chrono::milliseconds(ms));
  const std::string text = metrics.to_text();
  INFO(text);
  for (const char* line :
       {"# TYPE took_seconds histogram\n", "took_seconds_count{instance=\"a\"} 5\n",
        "took_seconds_sum{instance=\"a\"} 1000.703\n", "took_seconds_bucket{instance=\"a\",le=\"0.001\"} 2\n",
        "took_seconds_bucket{instance=\"a\",le=\"0.002\"} 3\n",
        "took_seconds_bucket{instance=\"a\",le=\"0.5\"} 3\n",
        "took_seconds_bucket{instance=\"a\",le=\"1\"} 4\n",
        "took_seconds_bucket{instance=\"a\",le=\"300\"} 4\n",
        "took_seconds_bucket{instance=\"a\",le=\"+Inf\"} 5\n"})
    CHECK(text.find(line) != std::string::npos);
  CHECK(&metrics.durations("took_seconds", "", {{"instance", "a"}}) == &took);
}

TEST_CASE("Counters and gauges with and without labels are families of their own") {
  Metrics metrics;
  metrics.counter("done_total", "Done").Increment(3);
  metrics.gauge("lag_events", "Lag", {{"consumer", "b"}}).Set(2);
  metrics.gauge("lag_events", "Lag", {{"consumer", "a"}}).Set(1);
  const std::string text = metrics.to_text();
  INFO(text);
  CHECK(text.find("# TYPE done_total counter\ndone_total 3\n") != std::string::npos);
  CHECK(text.find("# TYPE lag_events gauge\n") != std::string::npos);
  CHECK(text.find("\nlag_events{consumer=\"a\"} 1\n") != std::string::npos);
  CHECK(text.find("\nlag_events{consumer=\"b\"} 2\n") != std::string::npos);
}

}  // namespace
}  // namespace orderd
