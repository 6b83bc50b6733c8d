#include "apart.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <new>
#include <orderd/testing.hpp>
#include <stdexcept>

namespace orderd::checker {
namespace {

/// What both processes see. The names of calls are this program's own texts: they are at one place in both.
struct Shared {
  std::atomic<const char*> last_call{nullptr};
  std::atomic<bool> ended{false};
  std::atomic<int> result{0};
};

Shared& shared_page() {
  void* page = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::runtime_error("no memory to share with a process");
  return *new (page) Shared;
}

/// Reads until the pipe ends or time is up; false then.
bool read_lines(int pipe, std::int64_t until_ms, std::string& lines) {
  for (;;) {
    const std::int64_t left = until_ms - testing::monotonic_ms();
    pollfd wait{pipe, POLLIN, 0};
    if (left <= 0 || poll(&wait, 1, static_cast<int>(left)) == 0) return false;
    char bytes[4096];
    const ssize_t size = read(pipe, bytes, sizeof bytes);
    if (size <= 0) return true;
    lines.append(bytes, static_cast<std::size_t>(size));
  }
}

[[noreturn]] void in_child(const std::function<int(int)>& work, int pipe, Shared& shared) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  testing::call_note = &shared.last_call;
  shared.result = work(pipe);
  std::fflush(nullptr);
  shared.ended = true;
  _exit(0);
}

std::string problem_of(bool in_time, unsigned timeout_s, int status, const Shared& shared) {
  const char* last = shared.last_call;
  const std::string call = last ? std::string("; last call: ") + last : "";
  if (!in_time) return "it hangs: nothing more came for " + std::to_string(timeout_s) + " s" + call;
  if (WIFSIGNALED(status)) return std::string("it crashed: ") + strsignal(WTERMSIG(status)) + call;
  if (WEXITSTATUS(status) != 0)
    return "the process ended with status " + std::to_string(WEXITSTATUS(status)) +
           ": the plugin called exit(), or a sanitizer stopped it" + call;
  return shared.ended ? ""
                      : std::string("the plugin ended the process (exit) inside ") + (last ? last : "a call");
}

}  // namespace

Apart run_apart(const std::function<int(int)>& work, unsigned timeout_s) {
  Shared& shared = shared_page();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe: too many files are open");
  const std::int64_t began = testing::monotonic_ms();
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process: fork() failed");
  if (child == 0) {
    close(ends[0]);
    in_child(work, ends[1], shared);
  }
  close(ends[1]);
  Apart out;
  const bool in_time = read_lines(ends[0], began + timeout_s * std::int64_t{1000}, out.lines);
  close(ends[0]);
  if (!in_time) kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  out.problem = problem_of(in_time, timeout_s, status, shared);
  out.result = shared.result;
  munmap(&shared, sizeof shared);
  return out;
}

}  // namespace orderd::checker
