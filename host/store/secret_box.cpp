#include "store/secret_box.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>
#include <stdexcept>

#include "base/secret_file.h"
#include "base/sha256.h"

namespace orderd::store {
namespace {

constexpr std::size_t key_size = 32, nonce_size = 12, tag_size = 16;  // NIST SP 800-38D

struct ContextFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextFree>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text, std::size_t at = 0) {
  return reinterpret_cast<unsigned char*>(text.data() + at);
}

}  // namespace

SecretBox::SecretBox(std::string key) : key_(std::move(key)) {
  if (key_.size() != key_size) throw std::invalid_argument("a secret key has 32 bytes");
}

SecretBox SecretBox::from_file(const std::string& path) {
  const std::string hex = read_secret("secrets.key_file", path);
  std::string key;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    if (digit(hex[i]) < 0 || digit(hex[i + 1]) < 0) break;
    key.push_back(static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  }
  if (hex.size() != 2 * key_size || key.size() != key_size)
    throw std::runtime_error("secrets.key_file: " + path +
                             " must hold 64 lower-case hex digits: `openssl rand -hex 32`");
  return SecretBox(key);
}

std::string SecretBox::seal(std::string_view plain, const Uuid& order_id) const {
  std::string out(nonce_size + plain.size() + tag_size, '\0');
  if (RAND_bytes(bytes(out), nonce_size) != 1) throw std::runtime_error("no random bytes from OpenSSL");
  const Context context(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool ok =
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key_), bytes(out)) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, order_id.bytes.data(), 16) == 1 &&
      EVP_EncryptUpdate(context.get(), bytes(out, nonce_size), &size, bytes(plain),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), bytes(out, nonce_size) + size, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size,
                          bytes(out, nonce_size + plain.size())) == 1;
  if (!ok) throw std::runtime_error("AES-256-GCM failed in OpenSSL");
  return out;
}

std::optional<std::string> SecretBox::open(std::string_view sealed, const Uuid& order_id) const {
  if (sealed.size() < nonce_size + tag_size) return std::nullopt;
  const std::string_view body = sealed.substr(nonce_size, sealed.size() - nonce_size - tag_size);
  std::string tag(sealed.substr(sealed.size() - tag_size)), out(body.size() + 1, '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int size = 0, last = 0;
  const bool ok =
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key_), bytes(sealed)) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, order_id.bytes.data(), 16) == 1 &&
      EVP_DecryptUpdate(context.get(), bytes(out), &size, bytes(body), static_cast<int>(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), bytes(out) + size, &last) == 1;
  if (!ok) return std::nullopt;
  out.resize(body.size());
  return out;
}

std::string SecretBox::derive(std::string_view purpose) const { return hmac_sha256(key_, purpose); }

}  // namespace orderd::store
