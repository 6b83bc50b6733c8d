#include "app/check_child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/service.h"

namespace orderd {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::seconds limit{20};
constexpr std::chrono::milliseconds look_every{100};  // whether a stop was asked for

/// Without the manager's address: the child's words are not this service's.
std::vector<char*> without_manager(char** environment) {
  std::vector<char*> out;
  for (char** at = environment; at && *at; ++at)
    if (!std::string_view(*at).starts_with("NOTIFY_SOCKET=")) out.push_back(*at);
  out.push_back(nullptr);
  return out;
}

pid_t start(const std::string& file, char** environment, int out) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::string name = "orderd", check = "--check-config", config = "--config=" + file;
  std::array<char*, 4> words{name.data(), check.data(), file.empty() ? nullptr : config.data(), nullptr};
  pid_t child = -1;
  if (posix_spawn(&child, "/proc/self/exe", &actions, &attributes, words.data(),
                  without_manager(environment).data()) != 0)
    child = -1;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return child;
}

/// What the child wrote; "", or why it was not waited for any longer.
std::string read_all(int from, std::string& text) {
  const auto end = steady_clock::now() + limit;
  for (std::array<char, 4096> bytes;;) {
    if (service::must_stop()) return "a stop was asked for";
    if (steady_clock::now() >= end)
      return "orderd --check-config took longer than " + std::to_string(limit.count()) + " s";
    pollfd one{from, POLLIN, 0};
    if (poll(&one, 1, static_cast<int>(look_every.count())) <= 0) continue;
    const ssize_t got = read(from, bytes.data(), bytes.size());
    if (got == 0) return "";
    if (got > 0) text.append(bytes.data(), static_cast<std::size_t>(got));
  }
}

/// "orderd: REASON" is the last thing that it writes.
std::string reason_in(const std::string& text) {
  const std::string before = "\n" + text;
  const auto at = before.rfind("\norderd: ");
  if (at == before.npos) return "";
  const auto begin = at + std::strlen("\norderd: ");
  return before.substr(begin, before.find('\n', begin) - begin);
}

}  // namespace

std::string problem_of_files(const std::string& file, char** environment) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "it cannot be judged: no descriptors are left";
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  const pid_t child = start(file, environment, to.number());
  to.close_now();
  if (child < 0) return "it cannot be judged: orderd --check-config could not be started";
  std::string text;
  const std::string given_up = read_all(from.number(), text);
  if (!given_up.empty()) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (!given_up.empty()) return given_up;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  const std::string reason = reason_in(text);
  return reason.empty() ? "orderd --check-config did not come to its end" : reason;
}

}  // namespace orderd
