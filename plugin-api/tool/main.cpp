#include <algorithm>
#include <cstdio>
#include <exception>

#include "checker/shop.h"
#include "tool.h"

namespace {

constexpr const char* usage = R"(usage: orderd-plugin VERB ...            (also: orderctl plugin VERB ...)

  new payment --lang c|cpp|rust NAME [--templates DIR]
        makes the folder NAME with a payment provider that builds, passes orderd-plugin-check and runs
  run PLUGIN.so [OPTIONS]
        drives it without orderd, and shows each command, its outcome and what the plugin logged

  --scenario NAME     pay (authorize, capture), 3ds, declined, void, refund, repeat, step (one ACTION)
  --action ACTION     the scenario step, with this action
  --amount N          in the minor unit (1999)
  --set KEY=VALUE     a setting of the instance (again for more)
  --loopback          plain HTTP to 127.0.0.1 is let through, to a test server; else nothing is sent
  --timeout SECONDS   after which it hangs (60)
)";

bool asks_for_help(const std::string& word) { return word == "help" || word == "--help" || word == "-h"; }

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc < 2 ? argc : 2), argv + argc);
  const std::string verb = argc < 2 ? "" : argv[1];
  const bool asked = asks_for_help(verb) ||
                     std::any_of(arguments.begin(), arguments.end(),
                                 [](const auto& word) { return word != "help" && asks_for_help(word); });
  if (asked || argc < 2) {
    for (const char* part : {usage, orderd::checker::Shop::usage}) std::fputs(part, asked ? stdout : stderr);
    return asked ? 0 : 2;
  }
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
  std::fprintf(stderr, "orderd-plugin: there is no verb \"%s\"; --help names them\n", verb.c_str());
  return 2;
}
