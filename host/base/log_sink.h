#pragma once
// Where lines of the log go. Nobody waits for who reads them: what a full pipe or a stalled journald does not
// take is kept up to a bound, then dropped and counted, and that is said once they take again. A thread waits
// for a reader while something is kept, and only then.
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace orderd {

inline constexpr std::size_t log_kept_bytes_max = std::size_t{1} << 20;

/// [any thread]
class LogSink {
 public:
  /// The descriptor stays the caller's.
  explicit LogSink(int descriptor);
  ~LogSink();
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  /// A line, with its end.
  void put(std::string line);
  /// An entry for journald: names and values. False when none listens here.
  bool put(const std::vector<std::pair<std::string, std::string>>& fields);
  /// Waits for a reader of what is kept, `most_ms` at most.
  void flush(int most_ms);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Standard error's. At the end of the process what is kept is given half a second.
LogSink& standard_log();

}  // namespace orderd
