#include "webhooks.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace bank {
namespace {

constexpr double twice_share = 0.02, out_of_order_share = 0.02;
constexpr std::int64_t out_of_order_max_ms = 3'000, again_after_ms = 300;
constexpr int answer_limit_s = 1;
constexpr int senders = 128;  // a host that hangs must not hold up what is for the others
constexpr std::int64_t idle_ms = 1000;

std::string hmac_hex(const std::string& secret, const std::string& body) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest, &size);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out.push_back("0123456789abcdef"[digest[i] >> 4]);
    out.push_back("0123456789abcdef"[digest[i] & 15]);
  }
  return out;
}

int connect_to(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{answer_limit_s, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in to = loopback(port);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return socket;
  ::close(socket);
  return -1;
}

/// The answer's head, once all of it and of its body has come; "" if it did not.
std::string read_answer(int connection) {
  std::string in;
  char chunk[4096];
  for (;;) {
    if (const auto end = in.find("\r\n\r\n"); end != std::string::npos) {
      const auto length = in.find("\r\nContent-Length: ");
      const std::size_t body = length < end ? std::stoul(in.substr(length + 18, 9)) : 0;
      if (in.size() >= end + 4 + body) return in.substr(0, end);
    }
    const ssize_t count = ::recv(connection, chunk, sizeof chunk, 0);
    if (count <= 0) return "";
    in.append(chunk, static_cast<std::size_t>(count));
  }
}

}  // namespace

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Webhooks::Webhooks(WebhookTarget target, std::uint64_t seed) : target_(std::move(target)), random_(seed) {
  for (int i = 0; i < senders && !target_.ports.empty(); ++i) threads_.emplace_back([this] { run(); });
}

Webhooks::~Webhooks() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& one : threads_) one.join();
}

void Webhooks::tell(const Event& event) {
  if (target_.ports.empty()) return;
  std::lock_guard lock(mutex_);
  const auto chance = [&](double share) { return std::uniform_real_distribution<>(0, 1)(random_) < share; };
  const auto delay = [&] {
    return chance(out_of_order_share)
               ? std::uniform_int_distribution<std::int64_t>(1, out_of_order_max_ms)(random_)
               : 0;
  };
  due_.emplace(now_ms() + delay(), event);
  if (chance(twice_share)) due_.emplace(now_ms() + delay(), event);
  changed_.notify_one();
}

std::vector<std::string> Webhooks::taken() {
  std::lock_guard lock(mutex_);
  return std::exchange(taken_, {});
}

void Webhooks::run() {
  std::vector<int> connections(target_.ports.size(), -1);  // kept open, one a port
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::int64_t wait_ms = due_.empty() ? idle_ms : std::min(due_.begin()->first - now_ms(), idle_ms);
    if (wait_ms > 0) {
      changed_.wait_for(lock, std::chrono::milliseconds(wait_ms));
      continue;
    }
    const Event event = due_.extract(due_.begin()).mapped();
    const std::size_t port = turn_++ % target_.ports.size();
    lock.unlock();
    const bool taken = post(event.body, port, connections[port]);
    lock.lock();
    if (taken)
      taken_.push_back(event.id);
    else
      due_.emplace(now_ms() + again_after_ms, event);
  }
  for (const int one : connections) ::close(one);
}

bool Webhooks::post(const std::string& body, std::size_t port, int& connection) const {
  if (connection < 0) connection = connect_to(target_.ports[port]);
  const std::string request = "POST " + target_.path +
                              " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                              "X-Bank-Signature: sha256=" +
                              hmac_hex(target_.secret, body) +
                              "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  const bool sent = connection >= 0 && ::send(connection, request.data(), request.size(), MSG_NOSIGNAL) ==
                                           static_cast<ssize_t>(request.size());
  const std::string answer = sent ? read_answer(connection) : "";
  if (answer.empty() || answer.find("\r\nConnection: close") != std::string::npos) {
    ::close(connection);
    connection = -1;
  }
  return answer.size() > 9 && answer[9] == '2';
}

}  // namespace bank
