#include "loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace orderd::checker {
namespace {

using testing::HttpAnswer;
using testing::HttpRequest;

constexpr std::size_t answer_bytes_max = 2 << 20;
constexpr std::string_view scheme = "http://127.0.0.1:";

HttpAnswer failed(std::int32_t failure, const std::string& why) { return {0, "", {}, 0, failure, why}; }

struct Socket {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ~Socket() {
    if (fd >= 0) ::close(fd);
  }
};

struct Target {
  std::uint16_t port = 0;
  std::string path;
};

Target parse(const std::string& url) {
  Target target;
  if (url.compare(0, scheme.size(), scheme) != 0) return target;
  const std::size_t slash = std::min(url.find_first_of("/?", scheme.size()), url.size());
  std::from_chars(url.data() + scheme.size(), url.data() + slash, target.port);
  target.path = slash == url.size() ? "/" : url.substr(slash);
  if (target.path[0] != '/') target.path.insert(0, "/");
  return target;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string text_of(const HttpRequest& request, const Target& target) {
  std::string text =
      request.method + " " + target.path + " HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  return text + "content-length: " + std::to_string(request.body.size()) + "\r\n\r\n" + request.body;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

HttpAnswer read(const std::string& all) {
  const std::size_t end = all.find("\r\n\r\n");
  const auto lost = failed(ORDERD_HTTP_MAYBE_SENT, "the answer is none, or was cut");
  if (end == std::string::npos || all.compare(0, 7, "HTTP/1.") != 0 || all.size() < 12) return lost;
  HttpAnswer answer{0, all.substr(end + 4)};
  std::from_chars(all.data() + 9, all.data() + 12, answer.status);
  std::size_t length = answer.body.size();
  for (std::size_t at = all.find("\r\n") + 2; at < end + 2;) {
    const std::size_t stop = all.find("\r\n", at), colon = all.find(':', at);
    if (colon < stop) {
      const std::size_t value = std::min(all.find_first_not_of(' ', colon + 1), stop);
      answer.headers.emplace_back(lower(all.substr(at, colon - at)), all.substr(value, stop - value));
      if (answer.headers.back().first == "content-length")
        std::from_chars(all.data() + value, all.data() + stop, length);
    }
    at = stop + 2;
  }
  if (answer.status < 100 || answer.body.size() < length) return lost;
  answer.body.resize(length);
  return answer;
}

}  // namespace

HttpAnswer over_loopback(const HttpRequest& request) {
  const Target target = parse(request.url);
  if (target.port == 0)
    return failed(ORDERD_HTTP_NOT_SENT, "the checker reaches http://127.0.0.1:<port> only");
  const std::int64_t left = request.deadline_ms == 0 ? 30'000 : request.deadline_ms - testing::now_ms();
  if (left <= 0) return failed(ORDERD_HTTP_NOT_SENT, "the deadline had passed");
  Socket socket;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{left / 1000, left % 1000 * 1000};
  ::setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(socket.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return failed(ORDERD_HTTP_NOT_SENT, std::strerror(errno));
  if (!send_all(socket.fd, text_of(request, target)))
    return failed(ORDERD_HTTP_MAYBE_SENT, "the connection was lost");
  std::string all;
  char buffer[16384];
  for (ssize_t got = 0; (got = ::recv(socket.fd, buffer, sizeof buffer, 0)) != 0;) {
    if (got < 0) return failed(ORDERD_HTTP_MAYBE_SENT, "no answer until the deadline");
    all.append(buffer, static_cast<std::size_t>(got));
    if (all.size() > answer_bytes_max) return failed(ORDERD_HTTP_MAYBE_SENT, "the answer is too large");
  }
  return read(all);
}

}  // namespace orderd::checker
