#include <cstdio>
#include <exception>

#include "tool.h"

namespace {

constexpr const char* usage = R"(usage: orderd-plugin VERB ...            (also: orderctl plugin VERB ...)

  new payment --lang c|cpp|rust NAME [--templates DIR]
        makes the folder NAME with a payment provider that builds, passes orderd-plugin-check and runs
  run PLUGIN.so [--scenario NAME] [--set KEY=VALUE]... [--token TOKEN] [--action ACTION] [--amount N]
      [--timeout SECONDS]
        drives it without orderd, and shows each command, its outcome and what the plugin logged
        scenarios: pay (authorize, capture), 3ds, declined, void, refund, repeat, step (one ACTION);
        after --timeout (60) it hangs
)";

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc < 2 ? argc : 2), argv + argc);
  const std::string verb = argc < 2 ? "" : argv[1];
  try {
    if (verb == "new") return orderd::tool::make_new(arguments, argv[0]);
    if (verb == "run") return orderd::tool::run_scenario(arguments);
  } catch (const orderd::tool::UsageError& e) {
    std::fprintf(stderr, "orderd-plugin: %s\n", e.what());
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "orderd-plugin: %s\n", e.what());
    return 1;
  }
  const bool asked = verb == "help" || verb == "--help";
  std::fputs(usage, asked ? stdout : stderr);
  return asked ? 0 : 2;
}
