#include "base/troubles.h"

namespace orderd {
namespace {

constexpr std::chrono::seconds kept{30};

}  // namespace

void Troubles::say(const std::string& part, const std::string& text) {
  std::lock_guard lock(mutex_);
  said_[part] = {text, std::chrono::steady_clock::now()};
}

void Troubles::clear(const std::string& part) {
  std::lock_guard lock(mutex_);
  said_.erase(part);
}

std::vector<std::string> Troubles::list() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [part, said] : said_)
    if (std::chrono::steady_clock::now() - said.at < kept) out.push_back(part + ": " + said.text);
  return out;
}

Troubles& troubles() {
  static Troubles instance;
  return instance;
}

}  // namespace orderd
