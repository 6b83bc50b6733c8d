#include "config/mask.h"

#include <algorithm>
#include <cctype>

namespace orderd::config {
namespace {

// std::regex would need a frame of the stack for each letter, and texts can be long.
constexpr const char* hidden = "***";

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
}
bool ends_word(char c) { return std::isspace(static_cast<unsigned char>(c)) || c == '"' || c == '`'; }

std::string in_lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), lower);
  return text;
}

bool has_one_of(const std::string& name, std::initializer_list<const char*> words) {
  const std::string small = in_lower_case(name);
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return small.find(word) != small.npos; });
}

bool names_a_file(const std::string& key) {
  return key.ends_with("_file") || key.ends_with(".location") || key.find(".secret.") != key.npos;
}

std::size_t end_of_word(const std::string& text, std::size_t at) {
  while (at < text.size() && !ends_word(text[at])) ++at;
  return at;
}

/// "postgresql://role:pass@word@host" -> "postgresql://role:***@host"; of other schemes the user's part, too,
/// for that may be the token.
std::string without_logins(const std::string& text) {
  std::string out;
  std::size_t done = 0;
  for (auto at = text.find("://"); at != text.npos; at = text.find("://", at)) {
    auto scheme = at;
    while (scheme > done && is_name(text[scheme - 1])) --scheme;
    const std::size_t start = at += 3, end = end_of_word(text, start);
    const auto host = text.rfind('@', end - 1);
    if (end == start || host == text.npos || host < start) continue;
    const bool database = text.compare(scheme, 8, "postgres") == 0;
    const auto colon = text.find(':', start);
    out.append(text, done, start - done);
    if (database && colon > host) {
      done = start;  // a role alone
    } else {
      if (database) out.append(text, start, colon + 1 - start);
      out.append(hidden);
      done = host;
    }
    at = end;
  }
  return out.append(text, done);
}

/// The end of a value behind '=': 'quoted' with \-escapes, or up to what ends it.
std::size_t end_of_value(const std::string& text, std::size_t at) {
  if (at < text.size() && text[at] == '\'') {
    for (++at; at < text.size() && text[at] != '\''; ++at)
      if (text[at] == '\\') ++at;
    return std::min(at + 1, text.size());
  }
  while (at < text.size() && !ends_word(text[at]) && text[at] != '&' && text[at] != ';') ++at;
  return at;
}

std::string without_values(const std::string& text) {
  std::string out;
  std::size_t done = 0;
  for (auto at = text.find('='); at != text.npos; at = text.find('=', at + 1)) {
    auto end = at;
    while (end > done && text[end - 1] == ' ') --end;
    auto start = end;
    while (start > done && is_name(text[start - 1])) --start;
    const std::string name = in_lower_case(text.substr(start, end - start));
    const auto ends_with = [&](const char* word) { return name.ends_with(word); };
    const auto words = {"password", "passwd", "passphrase", "secret", "token", "key"};
    auto value = at + 1;
    while (value < text.size() && text[value] == ' ') ++value;
    if (names_a_file(name) || std::none_of(words.begin(), words.end(), ends_with)) continue;
    const auto stop = end_of_value(text, value);
    if (stop == value) continue;
    out.append(text, done, value - done).append(hidden);
    done = stop;
    at = stop - 1;
  }
  return out.append(text, done);
}

}  // namespace

std::string masked_text(const std::string& text) { return without_values(without_logins(text)); }

std::string masked(const std::string& key, const std::string& value) {
  const bool plugins = key.starts_with("plugin.") && key.find(".settings.") != key.npos;
  const std::string name = plugins ? key.substr(key.find(".settings.") + 10) : key;
  const bool secret = has_one_of(name, {"password", "passphrase", "secret", "token", "api_key", "apikey"}) ||
                      key.ends_with(".pem") ||
                      (plugins && has_one_of(name, {"key", "credential", "auth", "pass"}));
  return secret && !names_a_file(key) ? hidden : masked_text(value);
}

}  // namespace orderd::config
