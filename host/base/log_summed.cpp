#include "base/log_summed.h"

#include <chrono>
#include <map>
#include <mutex>
#include <utility>

namespace orderd {
namespace {

constexpr std::chrono::seconds window{10};
constexpr int lines_per_window = 5;

struct Line {
  std::chrono::steady_clock::time_point began{};
  int written = 0;
  long left_out = 0;
};

}  // namespace

void log_summed(LogLevel level, std::string_view part, std::string_view text,
                std::initializer_list<LogField> fields) {
  static std::mutex mutex;
  static std::map<std::string, Line> lines;  // guarded by mutex; texts are sentences of the source
  long left_out = 0;
  {
    std::lock_guard lock(mutex);
    Line& line = lines[std::string(part).append(": ").append(text)];
    const auto now = std::chrono::steady_clock::now();
    if (now - line.began > window) {
      left_out = std::exchange(line.left_out, 0);
      line.began = now;
      line.written = 0;
    }
    if (++line.written > lines_per_window) return void(++line.left_out);
  }
  if (left_out > 0)
    log(level, part, "lines were left out",
        {{"text", std::string(text)}, {"count", std::to_string(left_out)}});
  log(level, part, text, fields);
}

}  // namespace orderd
