// orderd-plugin-runner: one instance of a plugin with `isolation = process`. Made by orderd, never by people.
#include <cstdio>

#include <sys/prctl.h>
#include <sys/socket.h>

#include "plugin_host/isolation/runner.h"

int main() {
  constexpr int from_host = 3;
  int kind = 0;
  socklen_t size = sizeof kind;
  if (getsockopt(from_host, SOL_SOCKET, SO_TYPE, &kind, &size) != 0 || kind != SOCK_STREAM) {
    std::fputs("orderd-plugin-runner is started by orderd, for plugins with isolation = process\n", stderr);
    return 64;
  }
  prctl(PR_SET_NAME, "orderd-plugin-runner");  // it was run by descriptor, and is called by its number
  return orderd::plugins::isolation::serve(from_host);
}
