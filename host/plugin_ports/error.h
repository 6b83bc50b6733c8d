#pragma once
#include <filesystem>
#include <stdexcept>
#include <string>

namespace orderd::plugins {

/// A plugin cannot be used; what() is one line for the operator.
class PluginError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws `plugin "payment" (/…/simpay.so): <what is wrong>; <what to do>`.
[[noreturn]] inline void fail(const std::string& instance, const std::filesystem::path& library,
                              const std::string& what, const std::string& remedy) {
  throw PluginError("plugin \"" + instance + "\" (" + library.string() + "): " + what + "; " + remedy);
}

}  // namespace orderd::plugins
