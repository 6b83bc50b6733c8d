#include "plugin_host/isolation/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "plugin_host/isolation/environment.h"
#include "plugin_host/isolation/trial.h"
#include "plugin_ports/error.h"
#include "plugin_ports/outcome_check.h"

namespace orderd::plugins::isolation {
namespace {

constexpr const char* runner_name = "orderd-plugin-runner";
constexpr Millis ping_every{1000}, settled_after{60'000};
/// For a process whose socket has ended.
constexpr Millis by_itself_limit{500};

std::string runner_path() {
  std::error_code none;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", none).parent_path();
  for (const auto& place :
       {here / runner_name, here.parent_path() / "libexec" / "orderd" / runner_name,
        here.parent_path() / "host" / runner_name, here.parent_path().parent_path() / "host" / runner_name})
    if (std::filesystem::exists(place, none)) return place.string();
  return (std::filesystem::path("/usr/libexec/orderd") / runner_name).string();
}

void limit(int what, rlim_t most) {
  const rlimit value{most, most};
  setrlimit(static_cast<__rlimit_resource>(what), &value);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool limits_memory = false;  // their shadow counts
#else
constexpr bool limits_memory = true;
#endif

/// Between fork and exec: nothing that allocates. That this host has died it sees by the socket's end.
[[noreturn]] void become_runner(int program, int library, int socket, char** environment,
                                const Limits& limits) {
  setsid();
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  program = fcntl(program, F_DUPFD_CLOEXEC, 5);  // not where the others go
  library = fcntl(library, F_DUPFD_CLOEXEC, 5);
  socket = fcntl(socket, F_DUPFD_CLOEXEC, 5);
  dup2(socket, socket_number);  // the copies are not closed by exec
  dup2(library, library_number);
  close_range(library_number + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, limits.files);
  if (limits_memory && limits.memory_bytes > 0) limit(RLIMIT_DATA, limits.memory_bytes);
  char name[] = "orderd-plugin-runner";
  char* words[] = {name, nullptr};
  fexecve(program, words, environment);
  _exit(127);
}

std::string ending(int status) {
  if (WIFSIGNALED(status)) return std::string("signal ") + strsignal(WTERMSIG(status));
  if (WEXITSTATUS(status) == 127) return runner_path() + " cannot be run";
  return "status " + std::to_string(WEXITSTATUS(status));
}

bool is_label(const std::string& text) { return !text.empty() && text.size() <= 100 && is_line(text); }

/// "" or what of it cannot be.
std::string hello_problem(const Hello& hello) {
  constexpr std::size_t extensions_max = 32;
  constexpr std::int64_t window_ms_max = std::int64_t{3650} * 24 * 3600 * 1000;
  if (!is_label(hello.plugin) || !is_label(hello.version) || !is_label(hello.vendor))
    return "its name, version or vendor is none";
  if (hello.extensions.size() > extensions_max ||
      !std::all_of(hello.extensions.begin(), hello.extensions.end(), is_label))
    return "its extensions are none";
  return hello.window_ms < 0 || hello.window_ms > window_ms_max ? "its idempotency window is none" : "";
}

std::int64_t now_ms() { return now().time_since_epoch().count(); }

}  // namespace

std::shared_ptr<const Descriptor> open_runner() {
  return std::make_shared<const Descriptor>(::open(runner_path().c_str(), O_RDONLY | O_CLOEXEC));
}

Process::Process(std::shared_ptr<const Descriptor> runner, std::shared_ptr<const Descriptor> library,
                 Begin begin, Limits limits, std::stop_token host_ends)
    : runner_(std::move(runner)),
      library_(std::move(library)),
      host_ends_(std::move(host_ends)),
      begin_(std::move(begin)),
      limits_(limits) {
  child_ = spawn();
  try {
    hello_ = hello_of(*child_);
  } catch (...) {
    reap(*child_, true);
    throw;
  }
}

Process::~Process() { stop(Millis(0)); }

std::shared_ptr<Process::Child> Process::spawn() const {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    fail(begin_.instance, begin_.library, std::string("no socket: ") + std::strerror(errno),
         "free descriptors");
  auto child = std::make_shared<Child>(ends[0]);
  auto variables = plugin_environment(begin_.settings);
  auto environment = pointers_to(variables);
  child->pid = fork();
  if (child->pid == 0)
    become_runner(runner_->number(), library_->number(), ends[1], environment.data(), limits_);
  ::close(ends[1]);
  if (child->pid < 0)
    fail(begin_.instance, begin_.library, std::string("no process: ") + std::strerror(errno), "free some");
  Out out;
  write(out, begin_);
  (void)child->channel.send(out.frame(Frame::begin));
  return child;
}

/// The next frame, which must be of that kind and come in time.
Received Process::expect(Child& child, Frame kind) const {
  std::mutex mutex;
  std::condition_variable_any changed;
  const std::stop_token ending = ending_.get_token();
  const auto nobody_waits = [&] { return ending.stop_requested() || host_ends_.stop_requested(); };
  // Woken by the answer or by the host's stop, for which nobody waits any longer.
  std::jthread killer([&, pid = child.pid](std::stop_token stop) {
    const auto wake = [&] {
      std::lock_guard lock(mutex);
      changed.notify_all();
    };
    const std::stop_callback this_ends(ending, wake), all_end(host_ends_, wake);
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, limits_.hello_limit, nobody_waits);
    if (!stop.stop_requested()) ::kill(pid, SIGKILL);
  });
  auto received = child.channel.receive();
  while (received && received->kind != kind) received = child.channel.receive();
  killer.request_stop();
  killer.join();  // before the process's number may be somebody else's
  if (received) return std::move(*received);
  fail(begin_.instance, begin_.library,
       "its process ended with " + reap(child, false) + " before it was ready",
       "see what it wrote to the log; plugin." + begin_.instance + ".memory_mb may be too little");
}

Hello Process::hello_of(Child& child) const {
  const Received received = expect(child, Frame::hello);
  In in(received.fields);
  Hello hello = read<Hello>(in);
  if (!hello.problem.empty()) throw PluginError(one_line(hello.problem));
  if (const std::string problem = in.at_end() ? hello_problem(hello) : "it is no hello"; !problem.empty())
    fail(begin_.instance, begin_.library, "its process says of itself what makes no sense: " + problem,
         "report it to the plugin's vendor");
  return hello;
}

void Process::start(Child& child) const {
  (void)child.channel.send(Out().frame(Frame::start));  // a child that is gone: expect() says why
  const Received answer = expect(child, Frame::started);
  In in(answer.fields);
  if (const std::string problem = in.text(); !problem.empty()) throw PluginError(one_line(problem));
}

Received Process::ask(const std::string& frame, Frame answer) {
  if (!child_ || child_->pid < 0)
    fail(begin_.instance, begin_.library, "its process has ended", "see what it wrote to the log");
  (void)child_->channel.send(frame);
  return expect(*child_, answer);
}

void Process::start(const Events& events) {
  events_ = events;
  if (!child_) {
    auto fresh = spawn();
    try {
      (void)hello_of(*fresh);
    } catch (const PluginError&) {
      reap(*fresh, true);
      throw;
    }
    std::lock_guard lock(mutex_);
    child_ = std::move(fresh);
  }
  try {
    start(*child_);
  } catch (const PluginError&) {
    std::lock_guard lock(mutex_);
    reap(*std::exchange(child_, nullptr), true);
    throw;
  }
  heard_ms_ = now_ms();
  events_.up();
  thread_ = std::thread([this] { run(); });
  watcher_ = std::jthread([this](std::stop_token stop) { watch(stop); });
}

std::shared_ptr<Process::Child> Process::child() const {
  std::lock_guard lock(mutex_);
  return child_;
}

bool Process::send(const std::string& frame) {
  const auto there = child();
  return there && there->channel.send(frame);
}

bool Process::send_at_once(const std::string& frame) {
  const auto there = child();
  return there && there->channel.send_at_once(frame);
}

/// Ends it: at once, or when it does not end by itself in a moment. How it ended, for people.
std::string Process::reap(Child& child, bool kill) const {
  child.channel.close();
  if (child.pid < 0) return "an end before it was ready";
  int status = 0;
  bool ended = false;
  for (const Time end = now() + by_itself_limit;
       !kill && !(ended = waitpid(child.pid, &status, WNOHANG) != 0) && now() < end;)
    std::this_thread::sleep_for(Millis(5));
  if (!ended) {
    ::kill(child.pid, SIGKILL);
    waitpid(child.pid, &status, 0);
  }
  child.pid = -1;
  return ending(status);
}

void Process::listen(Child& child) const {
  while (auto received = child.channel.receive()) {
    heard_ms_ = now_ms();
    child.problem = events_.frame(std::move(*received));
    if (!child.problem.empty()) return;
  }
}

bool Process::rest(Millis time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stopping_; });
}

void Process::run() {
  Millis wait = limits_.restart_first;
  for (Time began = now();; began = now()) {
    listen(*child_);
    std::shared_ptr<Child> dead;
    {
      std::lock_guard lock(mutex_);
      dead = std::exchange(child_, nullptr);
      if (stopping_) {
        child_ = dead;
        return;
      }
    }
    std::string why = reap(*dead, true);
    if (!dead->problem.empty()) why = "it sent what makes no sense: " + dead->problem;
    log_error("plugin", "the process of an isolated plugin ended, and is made again",
              {{"instance", begin_.instance}, {"ended", why}});
    events_.down(why);
    wait = now() - began > settled_after ? limits_.restart_first : std::min(wait * 2, limits_.restart_max);
    for (std::shared_ptr<Child> fresh; !fresh; wait = std::min(wait * 2, limits_.restart_max)) {
      if (!rest(wait)) return;
      fresh = made_again();
      if (!fresh) continue;
      heard_ms_ = now_ms();
      std::lock_guard lock(mutex_);
      child_ = std::move(fresh);
      fresh = child_;
    }
    events_.up();
  }
}

/// nullptr: it does not begin, and the reason is logged.
std::shared_ptr<Process::Child> Process::made_again() {
  std::shared_ptr<Child> fresh;
  try {
    fresh = spawn();
    (void)hello_of(*fresh);
    start(*fresh);
    return fresh;
  } catch (const PluginError& error) {
    if (!ending_.stop_requested() && !host_ends_.stop_requested())
      log_error("plugin", "the process of an isolated plugin does not begin",
                {{"instance", begin_.instance}, {"error", error.what()}});
    if (fresh) reap(*fresh, true);
    return nullptr;
  }
}

void Process::watch(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  const std::string ping = Out().frame(Frame::ping);
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex);
      if (changed.wait_for(lock, stop, ping_every, [] { return false; }) || stop.stop_requested()) return;
    }
    std::lock_guard lock(mutex_);  // run() takes the child away under it before its number is free
    if (!child_ || stopping_) continue;
    if (now_ms() - heard_ms_ <= limits_.silent_limit.count()) {
      (void)child_->channel.send_at_once(ping);
      continue;
    }
    log_error("plugin", "the process of an isolated plugin does not answer and is killed",
              {{"instance", begin_.instance}});
    ::kill(child_->pid, SIGKILL);
    heard_ms_ = now_ms();
  }
}

void Process::stop(Millis most) {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  changed_.notify_all();
  ending_.request_stop();
  watcher_ = {};
  if (const auto child = this->child(); child && child->pid >= 0) {
    // It ends by itself when it has stopped.
    const bool asked = most > Millis(0) && child->channel.send_at_once(Out().frame(Frame::stop));
    const Time end = now() + most;
    int status = 0;
    bool ended = false;
    while (asked && now() < end && !(ended = waitpid(child->pid, &status, WNOHANG) != 0))
      std::this_thread::sleep_for(Millis(5));
    if (!ended) reap(*child, true);
    child->pid = -1;
    child->channel.close();  // wakes the listening thread
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace orderd::plugins::isolation
