#pragma once
// The process of an isolated plugin, from its start to its end, again and again: it is made, told to begin,
// listened to, and killed when it does not answer. Whoever holds one is called when it dies and when it is
// there again.
//
// 1. orderd-plugin-runner is started with one end of a socket, its own session, limits of memory and files,
//    no core dumps, and the wish to die with this host.
// 2. A ping a second; one that is not answered within `silent_limit` is a hang, and the process is killed.
// 3. Dead, it is made again after a wait: 100 ms, doubled up to 30 s; after a minute of life from the
//    start.
#include <condition_variable>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "base/descriptor.h"
#include "plugin_host/isolation/channel.h"

namespace orderd::plugins::isolation {

struct Limits {
  std::size_t memory_bytes = std::size_t{512} << 20;  // that it can write (RLIMIT_DATA); 0: no limit
  unsigned files = 1024;
  Millis hello_limit{10'000};  // for creating and starting the instance
  Millis silent_limit{5'000};
  Millis restart_first{100}, restart_max{30'000};
};

class Process {
 public:
  struct Events {
    /// A frame of the living process; "", or why it makes no sense: then the process ends. [the process's
    /// thread, as the others]
    std::function<std::string(Received)> frame;
    /// It is there, or there again, and started.
    std::function<void()> up;
    /// It is gone; `why` for people.
    std::function<void(const std::string& why)> down;
  };

  /// Starts it and waits for its hello. `library`: the bytes that it maps. `host_ends`: nobody waits for it
  /// any longer. Throws PluginError.
  Process(std::shared_ptr<const Descriptor> runner, std::shared_ptr<const Descriptor> library, Begin begin,
          Limits limits, std::stop_token host_ends);
  ~Process();
  Process(const Process&) = delete;

  const Hello& hello() const { return hello_; }
  /// A question and its answer, before start(); afterwards answers are events. Throws PluginError.
  Received ask(const std::string& frame, Frame answer);
  /// Has the instance started, then listens. Throws PluginError; then it may be called again, and the process
  /// is made again.
  void start(const Events& events);
  /// False: it is not there. Waits while the process does not read.
  bool send(const std::string& frame);
  /// False: it is not there, or that would wait; then nothing was sent.
  bool send_at_once(const std::string& frame);
  /// Asks it to stop, and kills it after `limit`, or at once while it is being made. Nothing is called
  /// afterwards.
  void stop(Millis limit);

 private:
  struct Child {
    explicit Child(int descriptor) : channel(descriptor, plugin_frame_bytes_max) {}
    Channel channel;
    pid_t pid = -1;
    std::string problem;  // what it sent that makes no sense
  };
  std::shared_ptr<Child> spawn() const;
  std::shared_ptr<Child> made_again();
  Received expect(Child& child, Frame kind) const;
  Hello hello_of(Child& child) const;
  void start(Child& child) const;
  std::string reap(Child& child, bool kill) const;
  std::shared_ptr<Child> child() const;
  void run();
  void listen(Child& child) const;
  void watch(std::stop_token stop);
  bool rest(Millis time);

  const std::shared_ptr<const Descriptor> runner_, library_;
  const std::stop_token host_ends_;
  const Begin begin_;
  const Limits limits_;
  Hello hello_;
  Events events_;
  mutable std::atomic<std::int64_t> heard_ms_{0};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Child> child_;  // guarded by mutex_; nullptr while there is none
  bool stopping_ = false;         // guarded by mutex_
  std::stop_source ending_;       // with stopping_: whoever waits for a process that is being made
  std::thread thread_;
  std::jthread watcher_;
};

}  // namespace orderd::plugins::isolation
