#include "plugin_host/services/masks.h"

#include "model/json.h"

namespace orderd::plugins {
namespace {

/// A shorter secret would mask half of every text.
constexpr std::size_t secret_bytes_min = 4;
/// What two texts have in common by chance is shorter.
constexpr std::size_t part_bytes = 8;
constexpr std::size_t tokens_max = 512, token_bytes_min = 6;

void replace_all(std::string& text, const std::string& secret) {
  for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3)
    text.replace(at, secret.size(), "***");
}

}  // namespace

Masks::Masks(const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.size() < secret_bytes_min) continue;
    if (secret.size() < part_bytes) short_.push_back(secret);
    for (std::size_t at = 0; at + part_bytes <= secret.size(); ++at)
      parts_.insert(secret.substr(at, part_bytes));
  }
}

void Masks::add_token(std::string_view secret_json) {
  if (secret_json.empty()) return;
  json::Document document;
  if (!json::parse(secret_json, document) || !document.IsObject()) return;
  const std::string token(json::string(document, "token"));
  if (token.size() < token_bytes_min) return;
  std::lock_guard lock(mutex_);
  tokens_.push_back(token);
  if (tokens_.size() > tokens_max) tokens_.pop_front();
}

std::string Masks::masked(std::string text) const {
  {
    std::lock_guard lock(mutex_);
    for (const std::string& token : tokens_) replace_all(text, token);
  }
  for (const std::string& secret : short_) replace_all(text, secret);
  if (parts_.empty() || text.size() < part_bytes) return text;
  std::vector<bool> shown(text.size(), true);
  bool any = false;
  for (std::size_t at = 0; at + part_bytes <= text.size(); ++at)
    if (parts_.contains(text.substr(at, part_bytes))) {
      any = true;
      for (std::size_t i = 0; i < part_bytes; ++i) shown[at + i] = false;
    }
  if (!any) return text;
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at)
    if (shown[at])
      out.push_back(text[at]);
    else if (at == 0 || shown[at - 1])
      out += "***";
  return out;
}

}  // namespace orderd::plugins
