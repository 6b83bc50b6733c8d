#include "orderctl/given.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace orderd::ctl {

Given::Given(const Words& all, std::initializer_list<const char*> options,
             std::initializer_list<const char*> flags) {
  const auto is_in = [](const auto& list, const std::string& word) {
    return std::find(list.begin(), list.end(), word) != list.end();
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].rfind('-', 0) != 0) {
      words.push_back(all[i]);
    } else if (is_in(flags, all[i])) {
      flags_.insert(all[i]);
    } else if (!is_in(options, all[i])) {
      throw UsageError("this verb knows no " + all[i]);
    } else {
      if (i + 1 == all.size()) throw UsageError(all[i] + " needs a value");
      options_[all[i]] = all[i + 1];
      ++i;
    }
  }
}

std::optional<std::string> Given::option(const std::string& name) const {
  const auto found = options_.find(name);
  return found == options_.end() ? std::nullopt : std::optional(found->second);
}

std::string Given::reason() const {
  const auto text = option("--reason").value_or("");
  if (text.empty()) throw UsageError("--reason TEXT is needed: it goes into the audit log");
  return text;
}

std::string actor() {
  const char* before_sudo = std::getenv("SUDO_USER");
  if (before_sudo && *before_sudo) return std::string("orderctl:") + before_sudo;
  const passwd* user = ::getpwuid(::geteuid());
  return "orderctl:" + (user ? std::string(user->pw_name) : std::to_string(::geteuid()));
}

}  // namespace orderd::ctl
