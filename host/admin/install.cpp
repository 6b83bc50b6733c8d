#include "admin/install.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/descriptor.h"
#include "plugin_host/isolation/environment.h"
#include "plugin_host/isolation/trial.h"
#include "plugin_ports/error.h"

namespace orderd::admin {
namespace {

using Told = std::function<void(const std::string&)>;
constexpr const char* checker_name = "orderd-plugin-check";
constexpr std::chrono::seconds checks_limit{60};
constexpr std::size_t findings_max = 6, line_max = 1024;

void write_settings(int file, const plugins::InstanceConfig& plugin) {
  for (const auto* values : {&plugin.settings, &plugin.secrets})
    for (const auto& [key, value] : *values)
      if (dprintf(file, "%s=%s\n", key.c_str(), value.c_str()) < 0) throw std::runtime_error("no memory");
}

/// The checker as the leader of its own group, with the settings at descriptor 3, and nothing else of ours.
/// Checks that have an effect at the provider are left out: the settings may be those of real money.
std::optional<pid_t> start_checker(const InstallWish& wish, int settings, int out) {
  const std::string file = wish.file.string();
  auto variables = plugins::plugin_environment(wish.plugin.settings);
  const auto environment = plugins::pointers_to(variables);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, out, 2);
  posix_spawn_file_actions_adddup2(&actions, settings, 3);
  posix_spawn_file_actions_addclosefrom_np(&actions, 4);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const std::array<const char*, 9> words{checker_name, "--only",          "entry.",     "--only", "life.",
                                         "--settings", "/proc/self/fd/3", file.c_str(), nullptr};
  std::error_code none;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", none).parent_path();
  const auto beside = folder / checker_name;
  const auto packaged = folder.parent_path() / "libexec/orderd" / checker_name;  // of the host's package
  pid_t child = 0;
  int failed = 1;
  for (const char* program : {beside.c_str(), checker_name, packaged.c_str()})
    if (failed != 0)
      failed = posix_spawnp(&child, program, &actions, &attributes, const_cast<char**>(words.data()),
                            environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? std::optional(child) : std::nullopt;
}

/// Each line until the child's end; false when the time was over before.
bool read_lines(pid_t child, int from, const Told& told) {
  const auto end = std::chrono::steady_clock::now() + checks_limit;
  const Descriptor ended(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  std::string line;
  std::array<char, 4096> bytes;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    std::array<pollfd, 2> both{pollfd{from, POLLIN, 0}, pollfd{ended.number(), POLLIN, 0}};
    if (left.count() <= 0 || poll(both.data(), 2, static_cast<int>(left.count())) == 0) return false;
    if ((both[0].revents & POLLIN) == 0) {
      if (both[1].revents != 0) return true;
      continue;
    }
    const ssize_t got = read(from, bytes.data(), bytes.size());
    for (ssize_t i = 0; i < got; ++i) {
      const char byte = bytes[static_cast<std::size_t>(i)];
      if (byte != '\n') {
        if (line.size() < line_max) line.push_back(byte);  // what a plugin prints may have no end
        continue;
      }
      told(line);
      line.clear();
    }
  }
}

/// What the checks have against the library; "" if nothing.
std::string judge(const InstallWish& wish, const Told& told) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe: free descriptors");
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  const Descriptor settings(
      memfd_create("settings", MFD_CLOEXEC));  // not on a command line: others see those
  write_settings(settings.number(), wish.plugin);
  const auto child = start_checker(wish, settings.number(), to.number());
  to.close_now();
  if (!child)
    return "there is no orderd-plugin-check here to judge it: install the package orderd again, or force it";
  std::string findings;
  std::size_t count = 0;
  const bool in_time = read_lines(*child, from.number(), [&](const std::string& line) {
    told(line);
    const bool finding = line.starts_with("        ");  // of the check in the line before
    if ((line.starts_with("FAIL") || (finding && count > 0)) && count++ < findings_max)
      findings += (findings.empty() ? ": " : "; ") + line.substr(finding ? 8 : 6);
  });
  kill(-*child, SIGKILL);  // what a plugin started, and what took too long
  int status = 0;
  waitpid(*child, &status, 0);
  if (!in_time)
    return "the checks took longer than " + std::to_string(checks_limit.count()) + " s" + findings;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  return "the plugin did not pass orderd-plugin-check" + findings;
}

/// What the configured library does and the new one does not; "" if nothing.
std::string lacks(const plugins::isolation::Hello& present, const plugins::isolation::Hello& fresh) {
  if (present.is_step && (!fresh.is_step || present.transactional != fresh.transactional))
    return present.transactional ? "works in the host's transaction"
                                 : "is a step that works outside of the host's transaction";
  for (const std::string& id : present.extensions)
    if (!id.starts_with("orderd.migrations/") &&
        std::find(fresh.extensions.begin(), fresh.extensions.end(), id) == fresh.extensions.end())
      return "has " + id;
  return "";
}

/// Why no host could use what is in the store now; PluginError: it refuses its settings.
std::string use_problem(const InstallWish& wish, const plugins::BuildStore& store) {
  plugins::Options options;
  options.runner = plugins::isolation::open_runner();
  const auto fresh = plugins::isolation::describe(wish.plugin, store.source(), wish.wish.digest + ".so",
                                                  wish.wish.digest, options);
  try {
    const auto present =
        plugins::isolation::describe(wish.plugin, wish.present, wish.plugin.library, "", options);
    const std::string lacking = lacks(present, fresh);
    return lacking.empty() ? ""
                           : fresh.plugin + " " + fresh.version + " is of another kind than " +
                                 present.plugin + " " + present.version + " of plugin." + wish.plugin.name +
                                 ".library, which " + lacking + ": configure an instance of its own for it";
  } catch (const plugins::PluginError&) { return ""; }  // there is none to compare with
}

}  // namespace

BuildAnswer install(InstallWish wish, const plugins::BuildStore& store,
                    const std::function<store::Connection&()>& connect, const Told& told) {
  if (::access(wish.file.c_str(), R_OK) != 0)
    throw std::runtime_error("cannot read the plugin " + wish.file.string() + ": " + std::strerror(errno) +
                             "; correct its name, or put it where the user that orderd runs as can read it");
  if (!wish.forced)
    if (const std::string problem = judge(wish, told); !problem.empty())
      return {BuildAnswer::Kind::refused, "", problem};
  std::string problem;
  wish.wish.digest = store.keep(wish.file, problem);
  if (wish.wish.digest.empty()) throw std::runtime_error(problem);
  if (!wish.forced)
    if (const std::string unusable = use_problem(wish, store); !unusable.empty())
      return {BuildAnswer::Kind::refused, "", unusable};
  store::Connection& connection = connect();
  const auto described = store.describe(wish.plugin.name, wish.wish.digest);
  return add_build(connection, wish.wish, described.plugin, described.version);
}

}  // namespace orderd::admin
