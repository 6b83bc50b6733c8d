#pragma once
// What single header fields mean. Pure. [any thread]
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderd::http {

/// Does Accept (RFC 9110, section 12.5.1) admit `type`, such as "application/json"? An empty field admits
/// all.
bool accepts(std::string_view accept, std::string_view type);
/// application/json, with charset utf-8 if any.
bool is_json_type(std::string_view content_type);

/// The value of an order's entity tag, for all that its body shows: `3` for version 3, and `3-7f83b165` while
/// it asks for attention, which comes and goes without a version. `attention`: its JSON, or empty.
std::string entity_tag(std::int32_t version, std::string_view attention);
/// The field: `"3"`.
std::string etag(std::int32_t version, std::string_view attention = {});
/// The entity tags of If-Match or If-None-Match (RFC 9110, section 13.1).
struct EntityTags {
  bool any = false;  // "*"
  struct Tag {
    bool weak = false;
    std::string value;  // without quotes
  };
  std::vector<Tag> tags;
  bool matches_weakly(std::string_view value) const;
};
/// nullopt if the field is malformed.
std::optional<EntityTags> parse_entity_tags(std::string_view field);
/// The versions that If-Match names, by strong comparison, whatever else their tags cover; what is no tag of
/// ours names none.
std::vector<std::int32_t> versions_in(const EntityTags& tags);

/// The client's X-Request-Id if it is sane (1–128 of letters, digits, '.', '_', '-'), else a new one.
std::string request_id(std::string_view field);
/// W3C Trace Context, version 00: the client's if it is valid, else a new one.
std::string traceparent(std::string_view field);

/// 1–255 printable ASCII characters.
bool is_idempotency_key(std::string_view field);

}  // namespace orderd::http
