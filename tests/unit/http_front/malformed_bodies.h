#pragma once
#include "unit/http_front/malformed_heads.h"

namespace orderd::http::front::test {

inline std::vector<Malformed> malformed_lengths() {
  const auto length = [](const std::string& value) {
    return post_start + "Content-Length:" + value + "\r\n\r\nhello";
  };
  return {
      {"two lengths that differ", post_start + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400},
      {"two equal lengths", post_start + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
      {"a list of lengths", length(" 5, 5"), 400},
      {"a negative length", length(" -5"), 400},
      {"a length with a plus", length(" +5"), 400},
      {"a length in hex", length(" 0x5"), 400},
      {"an empty length", length(""), 400},
      {"a length with a fraction", length(" 5.0"), 400},
      {"a length beyond 64 bits", length(" 99999999999999999999999"), 400},
      {"a length as an encoded word", length(" =?utf-8?q?5?="), 400},
      {"a length over the limit", length(" 262145"), 413},
      {"a length far over the limit", length(" 999999999999999999"), 413},
  };
}

inline std::vector<Malformed> malformed_codings() {
  const std::string end = "\r\n\r\n0\r\n\r\n";
  return {
      {"a coding and a length", post_start + "Transfer-Encoding: chunked\r\nContent-Length: 5" + end, 400},
      {"a length and a coding", post_start + "Content-Length: 5\r\nTransfer-Encoding: chunked" + end, 400},
      {"the coding xchunked", post_start + "Transfer-Encoding: xchunked" + end, 400},
      {"the codings gzip, chunked", post_start + "Transfer-Encoding: gzip, chunked" + end, 400},
      {"the codings chunked, identity", post_start + "Transfer-Encoding: chunked, identity" + end, 400},
      {"two codings", post_start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked" + end, 400},
      {"the coding identity", post_start + "Transfer-Encoding: identity\r\n\r\n", 400},
      {"an empty coding", post_start + "Transfer-Encoding:" + end, 400},
      {"a coding in quotes", post_start + "Transfer-Encoding: \"chunked\"" + end, 400},
      {"a coding after a vertical tab", post_start + "Transfer-Encoding:\x0b" + "chunked" + end, 400},
      {"a coding in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked" + end, 400},
  };
}

inline std::vector<Malformed> malformed_chunks() {
  const std::string head = post_start + "Transfer-Encoding: chunked\r\n\r\n";
  std::string large = head, many = head, trailers = head + "0\r\n";
  for (int i = 0; i < 5; ++i) large += "10000\r\n" + std::string(65536, 'a') + "\r\n";
  for (int i = 0; i < 400; ++i) many += "1;" + std::string(200, 'e') + "\r\na\r\n";
  for (int i = 0; i < 5; ++i) trailers += "X: " + std::string(1000, 't') + "\r\n";
  const auto chunk = [&](const std::string& size) { return head + size + "\r\nhello\r\n0\r\n\r\n"; };
  return {
      {"chunks over the limit", large + "0\r\n\r\n", 413},
      {"one chunk over the limit", head + "ffffffff\r\n", 413},
      {"more framing than body", many + "0\r\n\r\n", 400},
      {"trailers over the limit", trailers + "\r\n", 431},
      {"a chunk size with 0x", chunk("0x5"), 400},
      {"a negative chunk size", chunk("-5"), 400},
      {"a chunk size with a plus", chunk("+5"), 400},
      {"a chunk size that overflows", chunk("fffffffffffffffff"), 400},
      {"an empty chunk size", chunk(""), 400},
      {"a chunk size with a space", chunk("5 "), 400},
      {"a chunk size after a space", chunk(" 5"), 400},
      {"a chunk size line of LF alone", head + "5\nhello\r\n0\r\n\r\n", 400},
      {"a bare CR in a chunk extension", chunk("5;a\rb"), 400},
      {"a chunk longer than its size", head + "4\r\nhello\r\n0\r\n\r\n", 400},
      {"a chunk that ends in LF alone", head + "5\r\nhello\n0\r\n\r\n", 400},
      {"a chunk extension of 300 bytes", chunk("5;" + std::string(300, 'a')), 400},
      {"a trailer with a space before its colon", head + "0\r\nX : y\r\n\r\n", 400},
      {"a trailer without a colon", head + "0\r\nGET /hello HTTP/1.1\r\n\r\n", 400},
      {"Content-Length as a trailer", head + "0\r\nContent-Length: 5\r\n\r\n", 400},
      {"a trailer that ends in LF alone", head + "0\r\nX: y\n\r\n", 400},
  };
}

inline std::vector<Malformed> all_malformed() {
  std::vector<Malformed> all;
  for (const auto& part : {malformed_request_lines(), malformed_fields(), malformed_lengths(),
                           malformed_codings(), malformed_chunks()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace orderd::http::front::test
