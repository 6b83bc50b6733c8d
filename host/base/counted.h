#pragma once
// Numbers of things in sentences.
#include <cstdint>
#include <string>
#include <string_view>

namespace orderd {

/// "1 order", "2 orders"; for nouns whose plural is made with an s.
inline std::string counted(std::int64_t count, std::string_view noun) {
  return std::to_string(count).append(" ").append(noun).append(count == 1 ? "" : "s");
}

}  // namespace orderd
