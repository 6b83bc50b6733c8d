#pragma once
#include <cstddef>
#include <string_view>

namespace orderd {

/// How many bytes the well-formed sequence at `at` has (RFC 3629: no overlong forms, no surrogates, nothing
/// above U+10FFFF); 0 if there is none.
std::size_t utf8_size_at(std::string_view text, std::size_t at);
/// Whether all of it is well-formed UTF-8. NUL is.
bool is_utf8(std::string_view text);

}  // namespace orderd
