#pragma once
// What a plugin must not show: its settings' secrets, whole or in parts (a database's error may quote half of
// a password), and the payment tokens that it was handed last. [any thread]
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace orderd::plugins {

class Masks {
 public:
  explicit Masks(const std::vector<std::string>& secrets);
  /// A payment's token, or the JSON that holds it. The oldest are forgotten.
  void add_token(std::string_view secret_json);
  /// `text` with *** in their places.
  std::string masked(std::string text) const;

 private:
  std::vector<std::string> short_;         // secrets that are looked for as a whole
  std::unordered_set<std::string> parts_;  // of the others, each run of part_bytes
  mutable std::mutex mutex_;
  std::deque<std::string> tokens_;  // guarded by mutex_
};

}  // namespace orderd::plugins
