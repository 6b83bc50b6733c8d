#pragma once
// A verb's words: plain ones, options with a value, flags; and who gives it.
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "orderctl/verbs.h"

namespace orderd::ctl {

class Given {
 public:
  /// Throws UsageError for what is in neither list, and for an option without a value.
  Given(const Words& all, std::initializer_list<const char*> options,
        std::initializer_list<const char*> flags = {});
  Words words;
  std::optional<std::string> option(const std::string& name) const;
  bool flag(const std::string& name) const { return flags_.contains(name); }
  /// --reason, which a verb that is audited must have.
  std::string reason() const;

 private:
  std::map<std::string, std::string> options_;
  std::set<std::string> flags_;
};

/// Whoever sits at the keyboard, also behind sudo; to be asked before root becomes the service's user.
std::string actor();

}  // namespace orderd::ctl
