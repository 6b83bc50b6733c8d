#include "http/fields.h"

#include <algorithm>
#include <charconv>

#include "base/sha256.h"
#include "base/uuid.h"
#include "http/front/grammar.h"
#include "intake/idempotency.h"

namespace orderd::http {
namespace {

constexpr int tag_digits = 8;  // of the hash in an entity tag

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Cuts `text` at the next `separator` and returns what stands before it.
std::string_view next(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const auto part = text.substr(0, at);
  text = at == text.npos ? std::string_view() : text.substr(at + 1);
  return trim(part);
}

bool is_zero_weight(std::string_view parameter) {
  if (parameter.size() < 3 || lower(parameter[0]) != 'q' || parameter[1] != '=') return false;
  parameter.remove_prefix(2);
  return parameter[0] == '0' && parameter.find_first_not_of("0.") == parameter.npos;
}

/// How closely a media range fits `type`: 3 exactly, 2 "application/*", 1 "*/*", 0 not.
int fit(std::string_view range, std::string_view type) {
  if (same(range, type)) return 3;
  if (range == "*/*") return 1;
  const auto slash = type.find('/');
  return same(range, std::string(type.substr(0, slash + 1)) + "*") ? 2 : 0;
}

bool all_of(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == text.npos;
}

bool is_traceparent(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  if (text.size() != 55 || text.substr(0, 3) != "00-" || text[35] != '-' || text[52] != '-') return false;
  const auto trace = text.substr(3, 32), span = text.substr(36, 16);
  return all_of(trace, hex) && all_of(span, hex) && all_of(text.substr(53), hex) && !all_of(trace, "0") &&
         !all_of(span, "0");
}

}  // namespace

bool accepts(std::string_view accept, std::string_view type) {
  if (trim(accept).empty()) return true;
  int best = 0;
  bool admitted = false;
  while (!accept.empty()) {
    auto range = next(accept, ',');
    const int closeness = fit(next(range, ';'), type);
    bool zero = false;
    while (!range.empty()) zero |= is_zero_weight(next(range, ';'));
    if (closeness <= best) continue;
    best = closeness;
    admitted = !zero;
  }
  return admitted;
}

bool is_json_type(std::string_view content_type) {
  if (!same(next(content_type, ';'), "application/json")) return false;
  while (!content_type.empty()) {
    auto parameter = next(content_type, ';');
    if (same(next(parameter, '='), "charset") && !same(parameter, "utf-8") && !same(parameter, "\"utf-8\""))
      return false;
  }
  return true;
}

std::string entity_tag(std::int32_t version, std::string_view attention) {
  const std::string number = std::to_string(version);
  return attention.empty() ? number : number + "-" + sha256_hex(attention).substr(0, tag_digits);
}

std::string etag(std::int32_t version, std::string_view attention) {
  return '"' + entity_tag(version, attention) + '"';
}

bool EntityTags::matches_weakly(std::string_view value) const {
  return any || std::any_of(tags.begin(), tags.end(), [&](const Tag& tag) { return tag.value == value; });
}

std::optional<EntityTags> parse_entity_tags(std::string_view field) {
  EntityTags out;
  field = trim(field);
  if (field == "*") return out.any = true, out;
  while (!field.empty()) {
    EntityTags::Tag tag;
    if (field.substr(0, 2) == "W/") {
      tag.weak = true;
      field.remove_prefix(2);
    }
    const auto end = field.empty() || field[0] != '"' ? field.npos : field.find('"', 1);
    if (end == field.npos) return std::nullopt;
    tag.value = field.substr(1, end - 1);
    out.tags.push_back(std::move(tag));
    field = trim(field.substr(end + 1));
    if (field.empty()) break;
    if (field[0] != ',') return std::nullopt;
    field = trim(field.substr(1));
  }
  return out.tags.empty() ? std::nullopt : std::optional(out);
}

std::vector<std::int32_t> versions_in(const EntityTags& tags) {
  std::vector<std::int32_t> versions;
  for (const auto& tag : tags.tags) {
    std::int32_t version = 0;
    const char* end = tag.value.data() + tag.value.size();
    const auto parsed = std::from_chars(tag.value.data(), end, version);
    const bool ours = parsed.ptr == end || (*parsed.ptr == '-' && end - parsed.ptr == 1 + tag_digits);
    if (!tag.weak && parsed.ec == std::errc() && ours) versions.push_back(version);
  }
  return versions;
}

std::string request_id(std::string_view field) {
  return front::grammar::is_request_id(field) ? std::string(field) : Uuid::v7().to_string();
}

std::string traceparent(std::string_view field) {
  if (is_traceparent(field)) return std::string(field);
  const auto hex = [](const Uuid& id) {
    return to_hex({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
  };
  return "00-" + hex(Uuid::v7()) + "-" + hex(Uuid::v7()).substr(16) + "-01";
}

bool is_idempotency_key(std::string_view field) {
  return !field.empty() && field.size() <= intake::key_characters_max &&
         std::all_of(field.begin(), field.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

}  // namespace orderd::http
