// An author's verbs: they need no settings and no database, so the tools of the development package do them.
#include <unistd.h>

#include <filesystem>

#include "orderctl/verbs.h"

namespace orderd::ctl {
namespace {

/// Does not return unless it fails. The tool beside this program comes first, then one of the PATH, then the
/// checker in the host's own package.
int hand_over(const std::string& tool, Words words) {
  words.insert(words.begin(), tool);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::error_code none;
  const auto beside = std::filesystem::read_symlink("/proc/self/exe", none).parent_path() / tool;
  execv(beside.c_str(), arguments.data());
  execvp(tool.c_str(), arguments.data());
  execv((beside.parent_path().parent_path() / "libexec/orderd" / tool).c_str(), arguments.data());
  throw std::runtime_error("there is no " + tool + " here: install the package orderd-plugin-dev");
}

int hand_over(const std::string& tool, const std::string& verb, Words words) {
  words.insert(words.begin(), verb);
  return hand_over(tool, std::move(words));
}

int make_new(Context&, const Words& words) { return hand_over("orderd-plugin", "new", words); }
int run_one(Context&, const Words& words) { return hand_over("orderd-plugin", "run", words); }
int check(Context&, const Words& words) { return hand_over("orderd-plugin-check", words); }

}  // namespace

std::vector<Verb> plugin_verbs() {
  return {
      {"plugin new", "payment --lang c|cpp|rust NAME", "make a plugin's folder from a template", make_new},
      {"plugin run", "PLUGIN.so [--scenario NAME]", "drive a plugin by hand, without orderd", run_one},
      {"plugin check", "[OPTIONS] PLUGIN.so", "judge a plugin from outside, without orderd", check}};
}

}  // namespace orderd::ctl
