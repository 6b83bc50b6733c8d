// The parser must come to the same end however its bytes are cut: the same verdict, the same parts, the same
// rest. The input's first byte says how they are cut the second time.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/front/grammar.h"
#include "http/front/parser.h"

using orderd::http::front::MessageLimits;
using orderd::http::front::Parser;

namespace {

// Small, so that the fuzzer comes to the limits.
const MessageLimits limits{.head_bytes_max = 512,
                           .line_bytes_max = 200,
                           .fields_max = 8,
                           .body_bytes_max = 256,
                           .chunk_line_bytes_max = 32,
                           .trailer_bytes_max = 64,
                           .framing_bytes_max = 300};

struct Run {
  Run(std::string_view bytes, std::size_t piece) {
    while (result == Parser::Result::more && taken < bytes.size()) {
      std::size_t used = 0;
      const std::string_view next = bytes.substr(taken, piece);
      result = parser.feed(next, used);
      if (used > next.size() || (result == Parser::Result::more && used != next.size())) std::abort();
      taken += used;
    }
  }
  Parser parser{limits};
  Parser::Result result = Parser::Result::more;
  std::size_t taken = 0;
};

void demand(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Run whole(bytes, bytes.size()), cut(bytes, 1 + data[0] % 16);
  demand(whole.result == cut.result);
  demand(whole.parser.refused().status == cut.parser.refused().status);
  if (whole.result != Parser::Result::complete) return 0;
  demand(whole.taken == cut.taken);
  demand(whole.parser.target() == cut.parser.target());
  demand(whole.parser.fields() == cut.parser.fields());
  demand(whole.parser.body() == cut.parser.body());
  demand(whole.parser.body().size() <= limits.body_bytes_max);
  for (const auto& [name, value] : whole.parser.fields())
    demand(orderd::http::front::grammar::is_token(name) &&
           orderd::http::front::grammar::is_field_value(value));
  demand(whole.parser.target() == "*" || orderd::http::front::grammar::is_origin_form(whole.parser.target()));
  return 0;
}
