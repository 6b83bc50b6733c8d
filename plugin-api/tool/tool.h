#pragma once
// The author's tool: `new` makes a plugin's folder from a template, `run` drives a plugin without orderd.
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace orderd::tool {

/// Words that make no sense: the program ends with 2.
struct UsageError : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Verbs with the arguments behind them; the exit status. They throw std::runtime_error with what to do.
int make_new(const std::vector<std::string>& arguments, const std::filesystem::path& program);
int run_scenario(const std::vector<std::string>& arguments);

}  // namespace orderd::tool
