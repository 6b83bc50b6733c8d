#pragma once
#include "http/front/context.h"
#include "http/front/parser.h"

namespace orderd::http::front {

inline std::string_view path_of(const Parser& parser) {
  return parser.target().substr(0, parser.target().find('?'));
}

/// The front's own answer to a request, perhaps not read to its end: with what its head told so far. Valid as
/// long as the parser is.
inline Context::Answer answer_to(const Parser& parser, int status, std::string_view code,
                                 std::string_view why) {
  return {.status = status,
          .code = code,
          .detail = why,
          .request_id = parser.field("X-Request-Id"),
          .head_request = parser.method() == "HEAD",
          .instance = path_of(parser),
          .origin = parser.field("Origin")};
}

}  // namespace orderd::http::front
