#pragma once
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace orderd {

/// What parts of this process cannot do at this moment, for readiness. [any thread]
class Troubles {
 public:
  /// Stands until clear(part), and no longer than half a minute after it was last said. `text` goes to
  /// whoever asks for readiness: no statement, no value.
  void say(const std::string& part, const std::string& text);
  void clear(const std::string& part);
  /// "part: text", by part.
  std::vector<std::string> list() const;

 private:
  struct Said {
    std::string text;
    std::chrono::steady_clock::time_point at;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Said> said_;  // guarded by mutex_
};

/// The process's own.
Troubles& troubles();

}  // namespace orderd
