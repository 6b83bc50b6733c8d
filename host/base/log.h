#pragma once
// The process's log: one line a message, as text or JSON, written by a thread of its own (log_sink.h).
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace orderd {

enum class LogLevel { debug, info, warning, error };

/// One named value of a log line, such as {"order", id.to_string()}.
struct LogField {
  std::string_view name;
  std::string value;
};

/// One line to standard error: time, level, part, text, then fields. `text` is a fixed sentence: values go
/// into fields, so that a line can be searched for. Never a token, a key or personal data. [any thread]
void log(LogLevel level, std::string_view part, std::string_view text,
         std::initializer_list<LogField> fields = {});
void set_log_level(LogLevel lowest);
/// "debug", "info", "warning", "error"; info for anything else.
LogLevel parse_log_level(std::string_view name);
/// "json": one JSON object a line instead of text. "journal": to journald itself, where every field can be
/// searched for in capitals with ORDERD_ before it (ORDERD_ORDER=…). Anything else: text.
void set_log_format(std::string_view format);

inline void log_info(std::string_view part, std::string_view text,
                     std::initializer_list<LogField> fields = {}) {
  log(LogLevel::info, part, text, fields);
}
inline void log_warning(std::string_view part, std::string_view text,
                        std::initializer_list<LogField> fields = {}) {
  log(LogLevel::warning, part, text, fields);
}
inline void log_error(std::string_view part, std::string_view text,
                      std::initializer_list<LogField> fields = {}) {
  log(LogLevel::error, part, text, fields);
}

}  // namespace orderd
