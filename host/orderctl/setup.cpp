// `orderctl setup`: from an installed package to a database that the host can be started on. Makes only what
// is missing, so it may be run again.
#include <fcntl.h>
#include <pwd.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <iostream>

#include "app/wiring.h"
#include "base/sha256.h"
#include "orderctl/verbs.h"
#include "store/key_check.h"
#include "store/migrations.h"
#include "store/provision.h"

namespace orderd::ctl {
namespace {

constexpr int exit_failed = 1, exit_unavailable = 69, exit_no_permission = 77, exit_config = 78;

bool agreed(const std::string& what) {
  std::cout << what << "Go on? [y/N] " << std::flush;
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "y" || answer == "yes" || answer == "Y");
}

void make_key(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::string bytes(32, '\0');
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("the kernel gave no random bytes");
  const std::string text = to_hex(bytes) + "\n";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const std::string why = std::strerror(errno);
  if (file >= 0) ::close(file);
  if (!written) throw std::runtime_error("secrets.key_file: cannot write " + path + ": " + why);
  std::cout << "made key " << path << ": keep a copy of it\n";
}

/// What must be done as another user: in a child, for there is no way back. The exit status, 0 if all is
/// well.
int in_child(const std::function<void()>& work) {
  std::cout << std::flush;
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error(std::string("cannot fork: ") + std::strerror(errno));
  if (child == 0) {
    const auto failed = [](int status, const std::exception& error) {
      std::cerr << "orderctl: " << error.what() << "\n";
      _exit(status);
    };
    try {
      work();
      std::cout << std::flush;
      _exit(0);
    } catch (const config::ConfigError& error) {
      failed(exit_config, error);
    } catch (const store::DbError& error) {
      failed(error.connection_lost ? exit_unavailable : exit_failed, error);
    } catch (const std::exception& error) { failed(exit_failed, error); }
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : exit_failed;
}

/// As the user postgres, whom PostgreSQL knows by the socket.
void make_database(const store::Target& target) {
  const passwd* owner = getpwnam("postgres");
  if (!owner)
    throw std::runtime_error(
        "there is no user postgres here: install postgresql, or set postgres.url to a server elsewhere");
  const int failed = in_child([&] {
    become(*owner);
    store::Connection superuser(store::superuser_of(target));
    for (const auto& line : store::provision(superuser, target)) std::cout << line << "\n";
  });
  if (failed != 0) throw std::runtime_error("role and database could not be made; is PostgreSQL running?");
}

/// A key that is made beside a database that has one would only hide which is missing. The exit status.
int refuse_another_key(Context& context, const std::optional<store::SecretBox>& key) {
  return in_child([&] {
    expect_fit_database(context);
    const std::string& path = context.settings().secrets_key_file;
    const std::string problem = key ? store::key_problem(context.connection(), *key, path)
                                    : store::missing_key_problem(context.connection(), path);
    if (!problem.empty()) throw config::ConfigError(problem);
  });
}

int setup(Context& context, const Words& words) {
  if (!words.empty() && words != Words{"--yes"}) throw UsageError("setup takes --yes, or nothing");
  if (geteuid() != 0) {
    std::cerr << "orderctl: setup writes a key that only root can read, and acts as the user postgres: run "
                 "it as root\n";
    return exit_no_permission;
  }
  const config::Settings& settings = context.settings();
  const auto target = store::target_of(settings.postgres_url);
  std::string plan = "This makes, where it is missing:\n  the key " + settings.secrets_key_file + "\n";
  if (target.local_socket)
    plan += "  the role " + target.role + " and the database " + target.database +
            " in the PostgreSQL of this machine\n";
  plan += "  orderd's tables in the database " + target.database + "\n";
  if (words.empty() && !agreed(plan)) return std::cout << "nothing was done\n", 1;
  if (target.local_socket) make_database(target);
  std::optional<store::SecretBox> there;
  if (std::filesystem::exists(settings.secrets_key_file))
    there = store::SecretBox::from_file(settings.secrets_key_file);
  if (const int refused = refuse_another_key(context, there); refused != 0) return refused;
  make_key(settings.secrets_key_file);
  const auto key = own_key(context);
  expect_fit_database(context);
  for (const auto& one : store::migrate(context.connection(), "orderd", store::host_migrations()))
    std::cout << "applied " << one.name << "\n";
  expect_own_key(context, key);
  if (settings.plugins.empty()) {
    std::cout << "no plugin is configured yet: install some, then `orderctl migrate apply`\n";
    return 0;
  }
  context.registry().migrate(context.connection());
  std::cout << "the schema is up to date. Next: systemctl enable --now orderd, and products: orderctl "
               "stock import FILE, or orderctl stock demo for a try\n";
  return 0;
}

}  // namespace

std::vector<Verb> setup_verbs() {
  return {{"setup", "[--yes]", "key, role, database and tables on this machine, after asking", setup}};
}

}  // namespace orderd::ctl
