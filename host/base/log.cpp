#include "base/log.h"

#include <atomic>
#include <cctype>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log_sink.h"

namespace orderd {
namespace {

std::atomic<LogLevel> lowest_level{LogLevel::info};
enum class LogFormat { text, json, journal };
std::atomic<LogFormat> log_format{LogFormat::text};

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

/// False when no journald listens here.
bool send_to_journal(LogLevel level, std::string_view part, std::string_view text,
                     std::initializer_list<LogField> fields) {
  static constexpr const char* priorities[] = {"7", "6", "4", "3"};  // syslog's, by LogLevel
  std::string message(text);
  std::vector<std::pair<std::string, std::string>> entry{{"PRIORITY", priorities[static_cast<int>(level)]},
                                                         {"ORDERD_PART", std::string(part)},
                                                         {"SYSLOG_IDENTIFIER", "orderd"}};
  for (const LogField& field : fields) {
    message.append(" ").append(field.name).append("=");
    append_quoted(message, field.value);
    std::string name = "ORDERD_";
    for (const char c : field.name)
      name.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    entry.emplace_back(std::move(name), field.value);
  }
  entry.emplace_back("MESSAGE", std::move(message));
  return standard_log().put(entry);
}

}  // namespace

LogLevel parse_log_level(std::string_view text) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::warning, LogLevel::error})
    if (text == name(level)) return level;
  return LogLevel::info;
}

void set_log_level(LogLevel lowest) { lowest_level = lowest; }
void set_log_format(std::string_view format) {
  log_format = format == "json"      ? LogFormat::json
               : format == "journal" ? LogFormat::journal
                                     : LogFormat::text;
}

void log(LogLevel level, std::string_view part, std::string_view text,
         std::initializer_list<LogField> fields) {
  if (level < lowest_level.load(std::memory_order_relaxed)) return;
  const LogFormat format = log_format.load(std::memory_order_relaxed);
  if (format == LogFormat::journal && send_to_journal(level, part, text, fields)) return;
  std::string line;
  line.reserve(200);
  if (format == LogFormat::json) {
    line.append("{\"time\":\"")
        .append(to_rfc3339(wall_now()))
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
    line.append(to_rfc3339(wall_now()))
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
  standard_log().put(std::move(line));
}

}  // namespace orderd
