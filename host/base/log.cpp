#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>

#include "base/clock.h"

namespace orderd {
namespace {

std::atomic<LogLevel> lowest_level{LogLevel::info};
std::atomic<bool> as_json{false};

const char* name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "?";
}

/// A value in double quotes; control characters escaped, so that no value can start a line of its own.
void append_quoted(std::string& out, std::string_view value) {
  out.push_back('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escaped;
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace

LogLevel parse_log_level(std::string_view text) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::warning, LogLevel::error})
    if (text == name(level)) return level;
  return LogLevel::info;
}

void set_log_level(LogLevel lowest) { lowest_level = lowest; }
void set_log_json(bool json) { as_json = json; }

void log(LogLevel level, std::string_view part, std::string_view text,
         std::initializer_list<LogField> fields) {
  if (level < lowest_level.load(std::memory_order_relaxed)) return;
  std::string line;
  line.reserve(200);
  if (as_json.load(std::memory_order_relaxed)) {
    line.append("{\"time\":\"")
        .append(to_rfc3339(now()))
        .append("\",\"level\":\"")
        .append(name(level))
        .append("\",\"part\":");
    append_quoted(line, part);
    line += ",\"text\":";
    append_quoted(line, text);
    for (const LogField& field : fields) {
      line.push_back(',');
      append_quoted(line, field.name);
      line.push_back(':');
      append_quoted(line, field.value);
    }
    line += "}\n";
  } else {
    line.append(to_rfc3339(now()))
        .append(" ")
        .append(name(level))
        .append(" ")
        .append(part)
        .append(": ")
        .append(text);
    for (const LogField& field : fields) {
      line.append(" ").append(field.name).append("=");
      append_quoted(line, field.value);
    }
    line.push_back('\n');
  }
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace orderd
