#include "base/printable.h"

#include <algorithm>
#include <cstdint>

#include "base/utf8.h"

namespace orderd {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

/// The sequence must be well-formed.
char32_t code_point(std::string_view one) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(one[i]); };
  if (one.size() == 1) return byte(0);
  char32_t value = byte(0) & (0xff >> (one.size() + 1));
  for (std::size_t i = 1; i < one.size(); ++i) value = value << 6 | (byte(i) & 0x3f);
  return value;
}

bool acts_on_terminals(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void append_printable(std::string& out, std::string_view one) {
  const char32_t c = code_point(one);
  if (!acts_on_terminals(c)) {
    out += one;
    return;
  }
  constexpr char digits[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[c >> shift & 15];
}

/// How many bytes of text's end may be the beginning of a character.
std::size_t unfinished(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return wanted > back ? back : 0;
  }
  return 0;
}

}  // namespace

bool is_printable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_size_at(text, at);
    if (size == 0 || acts_on_terminals(code_point(text.substr(at, size)))) return false;
    at += size;
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_size_at(text, at);
    if (size == 0)
      out += replacement;
    else
      append_printable(out, text.substr(at, size));
    at += size == 0 ? 1 : size;
  }
  return out;
}

PrintableOutput::PrintableOutput(std::ostream& stream) : stream_(stream), to_(stream.rdbuf()) {
  stream_.rdbuf(this);
}

PrintableOutput::~PrintableOutput() {
  (void)write(true);
  to_->pubsync();
  stream_.rdbuf(to_);
}

PrintableOutput::int_type PrintableOutput::overflow(int_type character) {
  if (traits_type::eq_int_type(character, traits_type::eof())) return traits_type::not_eof(character);
  const char one = traits_type::to_char_type(character);
  return xsputn(&one, 1) == 1 ? character : traits_type::eof();
}

std::streamsize PrintableOutput::xsputn(const char* text, std::streamsize size) {
  kept_.append(text, static_cast<std::size_t>(size));
  return write(false) ? size : 0;
}

int PrintableOutput::sync() { return write(true) ? to_->pubsync() : -1; }

/// `all`: what has no end by now is no character.
bool PrintableOutput::write(bool all) {
  const std::size_t rest = all ? 0 : unfinished(kept_);
  const std::string_view whole(kept_.data(), kept_.size() - rest);
  std::string out;
  for (std::size_t at = 0; at < whole.size();) {
    const auto end = std::min(whole.find_first_of("\n\t", at), whole.size());
    out += printable(whole.substr(at, end - at));
    if (end < whole.size()) out += whole[end];
    at = end + 1;
  }
  kept_.erase(0, whole.size());
  return to_->sputn(out.data(), static_cast<std::streamsize>(out.size())) ==
         static_cast<std::streamsize>(out.size());
}

}  // namespace orderd
