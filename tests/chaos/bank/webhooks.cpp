#include "webhooks.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "ledger.h"

namespace bank {
namespace {

constexpr double twice_share = 0.02, out_of_order_share = 0.02;
constexpr std::int64_t out_of_order_max_ms = 3'000, again_after_ms = 300;
constexpr int answer_limit_s = 1;
constexpr int senders = 16;  // a host that hangs must not hold up what is for the others

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

}  // namespace

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

void Webhooks::tell(const std::string& body) {
  if (target_.ports.empty()) return;
  std::lock_guard lock(mutex_);
  const auto chance = [&](double share) { return std::uniform_real_distribution<>(0, 1)(random_) < share; };
  const auto delay = [&] {
    return chance(out_of_order_share)
               ? std::uniform_int_distribution<std::int64_t>(1, out_of_order_max_ms)(random_)
               : 0;
  };
  due_.emplace(now_ms() + delay(), body);
  if (chance(twice_share)) due_.emplace(now_ms() + delay(), body);
  changed_.notify_all();
}

void Webhooks::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (due_.empty() || due_.begin()->first > now_ms()) {
      changed_.wait_for(lock, std::chrono::milliseconds(due_.empty() ? 1000 : 20));
      continue;
    }
    const std::string body = due_.extract(due_.begin()).mapped();
    const int port = target_.ports[turn_++ % target_.ports.size()];
    lock.unlock();
    const bool taken = post(body, port);
    lock.lock();
    if (!taken) due_.emplace(now_ms() + again_after_ms, body);
  }
}

bool Webhooks::post(const std::string& body, int port) const {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{answer_limit_s, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool taken = false;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) {
    const std::string request = "POST " + target_.path +
                                " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                                "X-Bank-Signature: sha256=" +
                                hmac_hex(target_.secret, body) +
                                "\r\nContent-Length: " + std::to_string(body.size()) +
                                "\r\nConnection: close\r\n\r\n" + body;
    char answer[16] = "";
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(request.size()) &&
        ::recv(socket, answer, sizeof answer - 1, MSG_WAITALL) > 9)
      taken = std::strncmp(answer + 9, "2", 1) == 0;
  }
  ::close(socket);
  return taken;
}

}  // namespace bank
