#include "store/database_clock.h"

#include <atomic>
#include <chrono>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/connection.h"

namespace orderd::store {
namespace {

constexpr Statement read_clock{"read_clock", "select clock_timestamp()"};
constexpr Millis answer_max{1000};  // a later answer tells too little
constexpr Millis offset_max{5000};

bool is_off(Millis offset) { return std::chrono::abs(offset) > offset_max; }

void tell(Millis offset) {
  static std::atomic<bool> told{false};
  metrics()
      .gauge("orderd_clock_offset_ms", "How far this host's clock is ahead of the database's")
      .Set(static_cast<double>(offset.count()));
  if (told.exchange(is_off(offset)) == is_off(offset)) return;
  if (is_off(offset))
    log_warning("store", "this host's clock differs from the database's, which is the one that counts",
                {{"ahead_ms", std::to_string(offset.count())}});
  else
    log_info("store", "this host's clock is right again");
}

}  // namespace

void measure_clock(Connection& connection) {
  const Millis asked = steady_now();
  const Rows rows = connection.run(read_clock);
  const Millis answered = steady_now();
  if (answered - asked > answer_max) return;
  measured_clock(rows.time(0, 0), asked + (answered - asked) / 2);
  if (const auto offset = clock_offset()) tell(*offset);
}

std::string clock_problem() {
  const auto offset = clock_offset();
  if (!offset || !is_off(*offset)) return "";
  return "clock: this host's is " + std::to_string(std::chrono::abs(*offset).count() / 1000) + " s " +
         (*offset > Millis(0) ? "ahead of" : "behind") +
         " the database's, whose time is the one that counts here; run an NTP client";
}

}  // namespace orderd::store
