#pragma once
#include <string>
#include <vector>

namespace orderd::http::front::test {

/// A request that must be refused: what is wrong with it, its bytes, and the status it gets.
struct Malformed {
  std::string what, bytes;
  int status;
};

inline const std::string get_start = "GET /hello HTTP/1.1\r\nHost: x\r\n";
inline const std::string post_start = "POST /echo HTTP/1.1\r\nHost: x\r\n";

inline std::string numbered_fields(int count, const std::string& value) {
  std::string fields;
  for (int i = 0; i < count; ++i) fields += "X-" + std::to_string(i) + ": " + value + "\r\n";
  return fields;
}

inline std::vector<Malformed> malformed_request_lines() {
  const std::string host = "\r\nHost: x\r\n\r\n";
  const std::string long_line(9000, 'a');
  return {
      {"no version", "GET /hello" + host, 400},
      {"two spaces", "GET  /hello HTTP/1.1" + host, 400},
      {"a tab for a space", "GET\t/hello\tHTTP/1.1" + host, 400},
      {"a trailing space", "GET /hello HTTP/1.1 " + host, 400},
      {"a leading space", " GET /hello HTTP/1.1" + host, 400},
      {"a space in the target", "GET /hel lo HTTP/1.1" + host, 400},
      {"only a method", "GET" + host, 400},
      {"a bare LF after the request line", "GET /hello HTTP/1.1\nHost: x\r\n\r\n", 400},
      {"a bare LF everywhere", "GET /hello HTTP/1.1\nHost: x\n\n", 400},
      {"a bare CR in the request line", "GET /hello\r HTTP/1.1" + host, 400},
      {"a CR before the method", "\rGET /hello HTTP/1.1" + host, 400},
      {"two empty lines first", "\r\n\r\n" + get_start + "\r\n", 400},
      {"an empty line of LF alone first", "\n" + get_start + "\r\n", 400},
      {"a TLS hello",
       std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x0a", 12) + std::string(50, '\0'), 400},
      {"method with an at sign", "G@T /hello HTTP/1.1" + host, 400},
      {"method in lower case", "get /hello HTTP/1.1" + host, 501},
      {"CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501},
      {"TRACE", "TRACE /hello HTTP/1.1" + host, 501},
      {"a method of nobody's", "BREW /hello HTTP/1.1" + host, 501},
      {"HTTP/2.0", "GET /hello HTTP/2.0" + host, 505},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/0.9", "GET /hello HTTP/0.9" + host, 505},
      {"HTTP/1.2", "GET /hello HTTP/1.2" + host, 505},
      {"HTTP/1.10", "GET /hello HTTP/1.10" + host, 400},
      {"HTTP/1", "GET /hello HTTP/1" + host, 400},
      {"http/1.1", "GET /hello http/1.1" + host, 400},
      {"HTTP/1,1", "GET /hello HTTP/1,1" + host, 400},
      {"a target without its slash", "GET hello HTTP/1.1" + host, 400},
      {"a target of raw UTF-8", "GET /h\xc3\xa9 HTTP/1.1" + host, 400},
      {"a target with a fragment", "GET /hello#x HTTP/1.1" + host, 400},
      {"a target with a backslash", "GET /hello\\x HTTP/1.1" + host, 400},
      {"a target with quotes", "GET /\"hello\" HTTP/1.1" + host, 400},
      {"a target with %00", "GET /hello%00 HTTP/1.1" + host, 400},
      {"a target with %zz", "GET /hello%zz HTTP/1.1" + host, 400},
      {"a target that ends in %4", "GET /hello%4 HTTP/1.1" + host, 400},
      {"the target * for GET", "GET * HTTP/1.1" + host, 400},
      {"the target of https", "GET https://x/hello HTTP/1.1" + host, 400},
      {"an absolute target without a host", "GET http:///hello HTTP/1.1" + host, 400},
      {"an absolute target with a user", "GET http://u@x/hello HTTP/1.1" + host, 400},
      {"an absolute target of another host", "GET http://y/hello HTTP/1.1" + host, 400},
      {"a target of 9 KB", "GET /" + long_line + " HTTP/1.1" + host, 414},
      {"a request line that never ends", long_line, 414},
  };
}

inline std::vector<Malformed> malformed_fields() {
  const std::string start = "GET /hello HTTP/1.1\r\n";
  return {
      {"no Host", start + "\r\n", 400},
      {"two Hosts", get_start + "Host: y\r\n\r\n", 400},
      {"two equal Hosts", get_start + "host: x\r\n\r\n", 400},
      {"an empty Host", start + "Host:\r\n\r\n", 400},
      {"Host with a slash", start + "Host: a/b\r\n\r\n", 400},
      {"Host with a user", start + "Host: u@a\r\n\r\n", 400},
      {"Host with a list", start + "Host: a, b\r\n\r\n", 400},
      {"Host with a port of letters", start + "Host: a:b\r\n\r\n", 400},
      {"Host with half a bracket", start + "Host: [::1\r\n\r\n", 400},
      {"a folded line", get_start + "X-A: b\r\n c\r\n\r\n", 400},
      {"a space before the first field", start + " Host: x\r\n\r\n", 400},
      {"a space before a colon", post_start + "Content-Length : 5\r\n\r\nhello", 400},
      {"a bare LF in a field", get_start + "X: y\nZ: w\r\n\r\n", 400},
      {"a bare CR in a field", get_start + "X: y\rZ: w\r\n\r\n", 400},
      {"NUL in a field", get_start + std::string("X: a\0b\r\n\r\n", 10), 400},
      {"DEL in a field", get_start + "X: a\x7f\r\n\r\n", 400},
      {"a field without a colon", get_start + "nonsense\r\n\r\n", 400},
      {"a field without a name", get_start + ": x\r\n\r\n", 400},
      {"a name with a bracket", get_start + "X(y): x\r\n\r\n", 400},
      {"a name of raw UTF-8", get_start + "X\xc3\xa9: x\r\n\r\n", 400},
      {"two Authorizations", get_start + "Authorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n", 400},
      {"two Content-Types", post_start + "Content-Type: a/b\r\nContent-Type: a/c\r\n\r\n", 400},
      {"two Idempotency-Keys", post_start + "Idempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n", 400},
      {"an expectation of something else", post_start + "Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello",
       417},
      {"a line of 9 KB", get_start + "X: " + std::string(9000, 'a') + "\r\n\r\n", 431},
      {"a head of 17 KiB", get_start + numbered_fields(17, std::string(1000, 'a')) + "\r\n", 431},
      {"101 fields", get_start + numbered_fields(100, "a") + "\r\n", 431},
  };
}

}  // namespace orderd::http::front::test
