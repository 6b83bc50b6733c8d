#include "auth/keyring.h"

#include "auth/api_keys.h"
#include "base/log.h"

namespace orderd::auth {

using std::chrono::steady_clock;

Keyring::Keyring(store::ConnectionOptions database, KeyringOptions options)
    : database_(std::move(database)),
      options_(options),
      thread_("access", [this](const std::stop_token&) { run(); }) {}

Keyring::~Keyring() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Keyring::run() {
  std::unique_ptr<store::Connection> connection;
  bool said = false;
  for (;;) {
    const auto begun = steady_clock::now();
    try {
      if (!connection || !connection->usable()) connection = std::make_unique<store::Connection>(database_);
      auto keys = std::make_shared<Keys>();
      for (Key& key : live_keys(*connection)) {
        std::string id = key.id;
        keys->emplace(std::move(id), std::make_shared<const Key>(std::move(key)));
      }
      said = false;
      std::lock_guard lock(mutex_);
      keys_ = std::move(keys);
      read_at_ = begun;
    } catch (const std::exception& error) {
      connection.reset();
      if (!std::exchange(said, true))
        log_warning("access", "API keys could not be read, trying again", {{"error", error.what()}});
    }
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, options_.refresh, [&] { return ended_; })) return;
  }
}

std::shared_ptr<const Keyring::Keys> Keyring::keys_within(std::chrono::milliseconds age) const {
  std::lock_guard lock(mutex_);
  return keys_ && steady_clock::now() - read_at_ <= age ? keys_ : nullptr;
}

Keyring::Found Keyring::find(std::string_view text) const {
  const auto id = id_in(text);
  if (!id) return {};
  const auto keys = keys_within(options_.believed);
  if (!keys) return {nullptr, true};
  const auto found = keys->find(std::string(*id));
  if (found == keys->end() || !fits(text, found->second->sha256)) return {};
  return {found->second, false};
}

bool Keyring::lives(const std::string& id) const {
  const auto keys = keys_within(options_.stream_believed);
  return keys && keys->contains(id);
}

}  // namespace orderd::auth
