// Whether a text is one JSON object, as strictly as the host reads details_json; and a schema's defaults.
#ifndef ORDERD_TESTING_JSON_HPP
#define ORDERD_TESTING_JSON_HPP

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <orderd/json_text.hpp>

namespace orderd::testing {

/// RFC 8259, of text that is UTF-8; no name twice, no NUL, at most 32 levels.
class JsonObject {
 public:
  static bool is(std::string_view text) {
    JsonObject reader(text);
    reader.space();
    if (!reader.at('{') || !reader.value(1)) return false;
    reader.space();
    return reader.rest_.empty();
  }
  /// Of a settings_schema, as the host gives them: name and text.
  static std::map<std::string, std::string> defaults(std::string_view schema) {
    JsonObject reader(schema);
    reader.space();
    if (!reader.at('{') || !reader.value(1)) reader.defaults_.clear();
    return std::move(reader.defaults_);
  }

 private:
  static constexpr int depth_max = 32;
  explicit JsonObject(std::string_view text) : rest_(text) {}

  bool at(char c) const { return !rest_.empty() && rest_[0] == c; }
  bool take(std::string_view word) { return sdk::take_word(rest_, word); }
  void space() {
    while (at(' ') || at('\t') || at('\n') || at('\r')) rest_.remove_prefix(1);
  }
  bool digits() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') rest_.remove_prefix(1);
    return rest_.size() < before;
  }
  bool number() {
    take("-");
    if (!take("0") && !digits()) return false;
    if (take(".") && !digits()) return false;
    if (!take("e") && !take("E")) return true;
    if (!take("+")) take("-");
    return digits();
  }
  bool string(std::string& own) { return sdk::take_json_string(rest_, own); }
  bool members(char end, int depth) {
    std::set<std::string> names;
    rest_.remove_prefix(1);
    space();
    if (at(end)) return rest_.remove_prefix(1), true;
    do {
      space();
      std::string name;
      if (end == '}') {
        if (!string(name) || !names.insert(name).second) return false;
        space();
        if (!take(":")) return false;
        space();
      }
      path_.push_back(std::move(name));
      if (!value(depth + 1)) return false;
      path_.pop_back();
      space();
    } while (take(","));
    return take({&end, 1});
  }
  bool value(int depth) {
    std::string own;
    if (at('{') || at('[')) return depth <= depth_max && members(at('{') ? '}' : ']', depth);
    const std::string_view from = rest_;
    const bool is_string = at('"');
    if (is_string ? !string(own) : !(take("true") || take("false") || take("null") || number())) return false;
    if (!is_string) own = from.substr(0, from.size() - rest_.size());
    if (!is_string && (own == "true" || own == "false")) own = own == "true" ? "yes" : "no";
    if (path_.size() == 3 && path_[0] == "properties" && path_[2] == "default") defaults_[path_[1]] = own;
    return true;
  }

  std::string_view rest_;
  std::vector<std::string> path_;
  std::map<std::string, std::string> defaults_;
};

}  // namespace orderd::testing
#endif
