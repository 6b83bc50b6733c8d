#pragma once
// What is wrong with Kafka, for a person. librdkafka reports one broken connection as a storm of errors, from
// its own threads; here they become one line that names the broker, what happened and what to do, at most
// once a minute each. Callbacks call `note`, which only copies. The loops that poll call `report`, which
// explains and logs.
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace orderd::bus::kafka {

struct Explanation {
  std::string text;    // where, what, what to do; "" when nobody needs to know
  std::string detail;  // librdkafka's own words
};

/// What one error of librdkafka means: `code` as rd_kafka_err2name spells it ("_SSL"), `reason` as its error
/// callback got it ("ssl://127.0.0.1:9093/bootstrap: SSL handshake failed: …"). Pure.
Explanation explain(std::string_view code, std::string_view reason);

class Problems {
 public:
  /// From a callback: an error of librdkafka, to be explained later. [any thread]
  void note(std::string code, std::string reason);
  /// A problem that needs no explaining: what, where, what to do. [any thread]
  void note_text(std::string text);
  /// Logs what was noted. [any thread]
  void report();
  /// Kafka took or gave a record: whatever it was is over. [any thread]
  void clear();
  /// Kafka answered: a problem that nobody noted for a while is over. [any thread]
  void fade();
  /// What is wrong now; "" when nothing is known to be. [any thread]
  std::string last() const;

 private:
  using Steady = std::chrono::steady_clock;
  struct Noted {
    std::string code, reason;  // code "": reason is the text itself
  };
  mutable std::mutex mutex_;
  std::vector<Noted> noted_;                          // guarded by mutex_
  std::map<std::string, Steady::time_point> logged_;  // guarded by mutex_; when each text was last logged
  std::string last_;                                  // guarded by mutex_
  Steady::time_point last_at_{};                      // guarded by mutex_
  bool worked_ = false;                               // guarded by mutex_; Kafka answered once
};

}  // namespace orderd::bus::kafka
