#pragma once
// All live keys in memory, read again every second by a thread with a session of its own: a request costs no
// statement, and a flood of made-up keys costs the database nothing. While the database is away keys are
// believed for five seconds, then nobody is: a revocation counts within that time whatever happens.
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "auth/key.h"
#include "base/worker.h"
#include "store/connection.h"

namespace orderd::auth {

struct KeyringOptions {
  std::chrono::milliseconds refresh{1'000};
  std::chrono::milliseconds believed{5'000};          // since the keys were last read
  std::chrono::milliseconds stream_believed{15'000};  // for streams that are open
};

/// Owned by main; starts with its construction. [any thread]
class Keyring {
 public:
  explicit Keyring(store::ConnectionOptions database, KeyringOptions options = {});
  ~Keyring();
  Keyring(const Keyring&) = delete;
  Keyring& operator=(const Keyring&) = delete;

  struct Found {
    std::shared_ptr<const Key> key;  // nullptr: `text` is no live key, or …
    bool unavailable = false;        // … the keys are not known at the moment
  };
  Found find(std::string_view text) const;
  /// May a stream that this key opened go on?
  bool lives(const std::string& id) const;

 private:
  using Keys = std::unordered_map<std::string, std::shared_ptr<const Key>>;
  void run();
  std::shared_ptr<const Keys> keys_within(std::chrono::milliseconds age) const;

  const store::ConnectionOptions database_;
  const KeyringOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;                             // guarded by mutex_
  std::shared_ptr<const Keys> keys_;               // guarded by mutex_; nullptr: never read
  std::chrono::steady_clock::time_point read_at_;  // guarded by mutex_; when that read began
  Worker thread_;
};

}  // namespace orderd::auth
