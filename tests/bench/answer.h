#pragma once
// What the load driver reads of an HTTP answer and of the JSON in it. Only what this host sends: a length, no
// chunks.
#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace orderd::bench {

/// An answer of the host, complete in `in`; nothing yet if size is 0.
struct Answer {
  int status = 0;
  std::size_t size = 0;
  std::string_view body;
};

inline Answer parse(const std::string& in) {
  const auto head = in.find("\r\n\r\n");
  if (head == in.npos) return {};
  static constexpr std::string_view name = "\r\ncontent-length:";
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  const auto end = in.begin() + static_cast<std::ptrdiff_t>(head);
  const auto found = std::search(in.begin(), end, name.begin(), name.end(), same);
  if (in.size() < 12 || found == end)
    throw std::runtime_error("not an answer with a length: " + in.substr(0, head));
  const std::size_t length = std::strtoul(&*found + name.size(), nullptr, 10);
  if (in.size() < head + 4 + length) return {};
  return {std::atoi(in.c_str() + 9), head + 4 + length, std::string_view(in).substr(head + 4, length)};
}

/// The text of a member of the outer or any inner object, the first of that name; empty if there is none.
inline std::string_view member(std::string_view json, std::string_view name) {
  const auto at = json.find("\"" + std::string(name) + "\":\"");
  if (at == json.npos) return {};
  const auto begin = at + name.size() + 4;
  return json.substr(begin, json.find('"', begin) - begin);
}

}  // namespace orderd::bench
