#include "http/front/parser.h"

#include <algorithm>
#include <array>

#include "base/fault.h"
#include "http/front/grammar.h"

namespace orderd::http::front {

using namespace grammar;

namespace {

constexpr std::size_t head_capacity_bytes = 512;  // most heads fit
constexpr int content_length_digits_max = 18;     // fits 64 bits; the limit on bodies is far below

constexpr std::array<std::string_view, 7> known_methods{"GET",   "HEAD",   "POST",   "PUT",
                                                        "PATCH", "DELETE", "OPTIONS"};

// Which of two a reader takes is anybody's guess, so there must not be two.
constexpr std::array<std::string_view, 9> single_fields{
    "Host",         "Content-Length",  "Transfer-Encoding", "Expect", "Authorization",
    "Content-Type", "Idempotency-Key", "Last-Event-ID",     "Origin"};

constexpr std::array<std::string_view, 3> forbidden_trailers{"Host", "Content-Length", "Transfer-Encoding"};

template <typename List>
auto find_name(const List& list, std::string_view name) {
  return std::find_if(list.begin(), list.end(), [&](std::string_view one) { return iequals(one, name); });
}

/// Splits "name: value". A space before the colon and a folded line fail, as their names are no tokens.
bool split_field(std::string_view line, std::string_view& name, std::string_view& value) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return false;
  name = line.substr(0, colon);
  value = trim(line.substr(colon + 1));
  return is_token(name) && is_field_value(value);
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

bool lists(std::string_view value, std::string_view option) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    if (iequals(trim(value.substr(0, comma)), option)) return true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return false;
}

}  // namespace

std::string_view code_of(int status) {
  switch (status) {
    case 400:
      return "MALFORMED_REQUEST";
    case 408:
      return "REQUEST_TIMEOUT";
    case 413:
      return "BODY_TOO_LARGE";
    case 414:
      return "URI_TOO_LONG";
    case 417:
      return "EXPECTATION_FAILED";
    case 431:
      return "HEADERS_TOO_LARGE";
    case 501:
      return "METHOD_NOT_IMPLEMENTED";
    case 503:
      return "OVERLOADED";
    case 505:
      return "HTTP_VERSION_NOT_SUPPORTED";
    default:
      return "INTERNAL_ERROR";
  }
}

Parser::Result Parser::bad(int status, std::string_view why) {
  refused_ = {status, code_of(status), why};
  return Result::bad;
}

std::string_view Parser::field(std::string_view name) const {
  for (const auto& [own, value] : fields_)
    if (grammar::iequals(own, name)) return value;
  return {};
}

Parser::Result Parser::feed(std::string_view bytes, std::size_t& used) {
  used = 0;
  if (refused_.status != 0) return Result::bad;
  if (!head_complete_) {
    const Result result = feed_head(bytes, used);
    if (result != Result::complete) return result;
    bytes.remove_prefix(used);
  }
  if (!has_body() || fault::mutation("http_unread_body")) return Result::complete;
  std::size_t of_body = 0;
  const Result result = chunked_ ? feed_chunks(bytes, of_body) : feed_length(bytes, of_body);
  body_begun_ = body_begun_ || of_body > 0;
  used += of_body;
  return result;
}

// ---- the head ----

Parser::Result Parser::feed_head(std::string_view bytes, std::size_t& used) {
  while (used < bytes.size()) {
    const std::string_view rest = bytes.substr(used);
    if (head_.empty() && rest[0] != '\r' && !is_token_char(rest[0]))
      return bad(400, "The connection does not begin with an HTTP request line.");
    const std::size_t lf = rest.find('\n');
    const std::size_t take = lf == rest.npos ? rest.size() : lf + 1;
    if (head_.size() - line_begin_ + take > limits_.line_bytes_max)
      return line_begin_ == 0 ? bad(414, "The request line is too long.")
                              : bad(431, "A header field is too long.");
    if (head_.size() + take > limits_.head_bytes_max)
      return bad(431, "The header fields are too long together.");
    if (head_.empty()) head_.reserve(head_capacity_bytes);
    head_.append(rest, 0, take);
    used += take;
    if (lf == rest.npos) return Result::more;

    if (head_.size() < 2 || head_[head_.size() - 2] != '\r') return bad(400, "A line ends in LF without CR.");
    if (head_.size() - line_begin_ == 2) {
      if (line_begin_ > 0) return check_head();
      // RFC 9112, section 2.2: one empty line before a request is forgiven.
      if (skipped_empty_line_) return bad(400, "The request line is empty.");
      skipped_empty_line_ = true;
      head_.clear();
    } else {
      line_begin_ = head_.size();
    }
  }
  return Result::more;
}

Parser::Result Parser::check_head() {
  std::string_view rest(head_);
  rest.remove_suffix(2);
  if (check_request_line(take_line(rest)) == Result::bad) return Result::bad;
  fields_.reserve(16);
  std::size_t fields = 0;
  while (!rest.empty()) {
    std::string_view name, value;
    if (!split_field(take_line(rest), name, value))
      return bad(400,
                 "A header field has no valid name before its colon, or a control character in its value.");
    if (++fields > limits_.fields_max) return bad(431, "There are too many header fields.");
    if (check_field(name, value) == Result::bad) return Result::bad;
  }
  if (check_framing() == Result::bad) return Result::bad;
  head_complete_ = true;
  return Result::complete;
}

Parser::Result Parser::check_request_line(std::string_view line) {
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == line.npos || first == last)
    return bad(400, "The request line is not a method, a target and a version with one space between them.");
  method_ = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1), version = line.substr(last + 1);
  if (!is_token(method_)) return bad(400, "The method is no token.");
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7]))
    return bad(400, "The request line does not end in an HTTP version.");
  if (version[5] != '1' || version[7] > '1') return bad(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
  minor_version_ = version[7] - '0';
  keep_alive_ = minor_version_ == 1;
  if (std::find(known_methods.begin(), known_methods.end(), method_) == known_methods.end())
    return bad(501, "The method is not implemented.");
  return check_target(target);
}

Parser::Result Parser::check_target(std::string_view target) {
  constexpr std::string_view scheme = "http://";
  if (target == "*") {
    if (method_ != "OPTIONS") return bad(400, "The target \"*\" is for OPTIONS only.");
    target_ = target;
    return Result::complete;
  }
  if (iequals(target.substr(0, scheme.size()), scheme)) {
    const std::string_view rest = target.substr(scheme.size());
    const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
    authority_ = rest.substr(0, path);
    if (!is_authority(authority_)) return bad(400, "The target's host is not valid.");
    if (path == rest.size() || rest[path] == '?') target_ = "/";
    target_ += rest.substr(path);
  } else {
    target_ = target;
  }
  if (!is_origin_form(target_)) return bad(400, "The target is not a valid path with an optional query.");
  return Result::complete;
}

Parser::Result Parser::check_field(std::string_view name, std::string_view value) {
  if (const auto single = find_name(single_fields, name); single != single_fields.end()) {
    const std::uint32_t bit = 1u << (single - single_fields.begin());
    if (seen_ & bit) return bad(400, "A header field that may come once came twice.");
    seen_ |= bit;
  }
  if (iequals(name, "Content-Length")) {
    if (value.empty() || value.size() > content_length_digits_max ||
        !std::all_of(value.begin(), value.end(), is_digit))
      return bad(400, "Content-Length is not a number.");
    for (const char digit : value) remaining_ = remaining_ * 10 + static_cast<unsigned>(digit - '0');
    has_length_ = true;
    return Result::complete;
  }
  if (iequals(name, "Transfer-Encoding")) {
    if (!iequals(value, "chunked")) return bad(400, "Transfer-Encoding is not exactly \"chunked\".");
    chunked_ = true;
    return Result::complete;
  }
  if (iequals(name, "Expect")) {
    if (!iequals(value, "100-continue")) return bad(417, "Only \"100-continue\" can be expected.");
    expects_continue_ = minor_version_ == 1;
    return Result::complete;
  }
  if (iequals(name, "Host")) {
    if (!is_authority(value)) return bad(400, "Host is not a host name with an optional port.");
    host_ = value;
  } else if (iequals(name, "Connection")) {
    close_ = close_ || lists(value, "close");
    keep_alive_ = keep_alive_ || lists(value, "keep-alive");
  }
  fields_.emplace_back(name, value);
  return Result::complete;
}

Parser::Result Parser::check_framing() {
  if (minor_version_ == 1 && host_.empty()) return bad(400, "Host is missing.");
  if (!authority_.empty() && !host_.empty() && !iequals(authority_, host_))
    return bad(400, "The target names another host than Host.");
  if (chunked_ && has_length_) return bad(400, "Transfer-Encoding and Content-Length came together.");
  if (chunked_ && minor_version_ == 0) return bad(400, "HTTP/1.0 has no Transfer-Encoding.");
  if (has_length_ && remaining_ > limits_.body_bytes_max)
    return bad(413, "The body is larger than this server takes.");
  if (close_) keep_alive_ = false;
  return Result::complete;
}

// ---- the body ----

Parser::Result Parser::feed_length(std::string_view bytes, std::size_t& used) {
  used = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size()));
  if (body_.empty())
    body_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, 2 * bytes.size())));
  body_.append(bytes, 0, used);
  remaining_ -= used;
  return remaining_ == 0 ? Result::complete : Result::more;
}

Parser::Result Parser::feed_chunks(std::string_view bytes, std::size_t& used) {
  while (used < bytes.size()) {
    Result result = Result::more;
    switch (chunk_stage_) {
      case ChunkStage::data: {
        const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size() - used));
        body_.append(bytes, used, take);
        used += take;
        remaining_ -= take;
        if (remaining_ == 0) chunk_stage_ = ChunkStage::data_end;
        break;
      }
      case ChunkStage::data_end:
        // The two bytes CR LF; chunk_line_ holds the CR once it was there.
        if (bytes[used] != (chunk_line_.empty() ? '\r' : '\n'))
          return bad(400, "A chunk is longer than its size says.");
        ++used;
        if (chunk_line_.empty()) {
          chunk_line_ = "\r";
        } else {
          chunk_line_.clear();
          chunk_stage_ = ChunkStage::size;
        }
        break;
      case ChunkStage::size:
        result = take_chunk_line(bytes, used);
        if (result == Result::complete) result = end_chunk_size();
        if (result == Result::bad) return result;
        break;
      case ChunkStage::trailer:
        result = take_chunk_line(bytes, used);
        if (result == Result::complete) result = end_trailer();
        if (result != Result::more) return result;
        break;
    }
  }
  return Result::more;
}

/// Collects one line into chunk_line_; `complete` when it is there, without its CR LF.
Parser::Result Parser::take_chunk_line(std::string_view bytes, std::size_t& used) {
  const bool trailer = chunk_stage_ == ChunkStage::trailer;
  const std::string_view rest = bytes.substr(used);
  const std::size_t lf = rest.find('\n');
  const std::size_t take = lf == rest.npos ? rest.size() : lf + 1;
  if (trailer && trailer_bytes_ + take > limits_.trailer_bytes_max)
    return bad(431, "The trailers are too long.");
  if (!trailer && chunk_line_.size() + take > limits_.chunk_line_bytes_max)
    return bad(400, "A chunk's size line is too long.");
  if (framing_bytes_ + take > limits_.framing_bytes_max)
    return bad(trailer ? 431 : 400, "The body has too many small chunks.");
  framing_bytes_ += take;
  if (trailer) trailer_bytes_ += take;
  chunk_line_.append(rest, 0, take);
  used += take;
  if (lf == rest.npos) return Result::more;
  if (chunk_line_.size() < 2 || chunk_line_[chunk_line_.size() - 2] != '\r')
    return bad(400, "A line ends in LF without CR.");
  chunk_line_.resize(chunk_line_.size() - 2);
  return Result::complete;
}

Parser::Result Parser::end_chunk_size() {
  constexpr std::size_t digits_max = 8;
  const std::string_view line(chunk_line_);
  std::size_t digits = 0;
  std::uint64_t size = 0;
  for (; digits < line.size() && digits <= digits_max && hex_value(line[digits]) >= 0; ++digits)
    size = size * 16 + static_cast<unsigned>(hex_value(line[digits]));
  const std::string_view extension = line.substr(digits);
  if (digits == 0 || digits > digits_max || (!extension.empty() && extension[0] != ';') ||
      !is_field_value(extension))
    return bad(400, "A chunk's size is not a plain hex number.");
  if (size > limits_.body_bytes_max - body_.size())
    return bad(413, "The body is larger than this server takes.");
  chunk_line_.clear();
  remaining_ = size;
  chunk_stage_ = size == 0 ? ChunkStage::trailer : ChunkStage::data;
  return Result::more;
}

Parser::Result Parser::end_trailer() {
  if (chunk_line_.empty()) return Result::complete;
  std::string_view name, value;
  if (!split_field(chunk_line_, name, value) ||
      find_name(forbidden_trailers, name) != forbidden_trailers.end())
    return bad(400, "A trailer is no valid header field, or one that must not be a trailer.");
  chunk_line_.clear();
  return Result::more;
}

}  // namespace orderd::http::front
