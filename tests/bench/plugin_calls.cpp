// What a call of an external plugin costs beyond the plugin's own work: in this process by the caller's own
// thread (plugin.<instance>.threads = 0) and by threads of the plugin's own, and isolated; the time from
// execute() to the completion, alone and in batches, and the host's CPU time. With threads of its own most of
// the time alone is two wakes. A measurement, not a test: plugin_calls FOLDER, where the plugins of tests/abi
// are.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>

#include "plugin_host/loading/registry.h"

namespace orderd::plugins {
namespace {

using Clock = std::chrono::steady_clock;

/// Proportional set size of this process and those that it started, in KB.
long memory_kb() {
  std::vector<std::string> folders{"/proc/self"};
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    for (std::ifstream in(task.path() / "children"); in;)
      if (std::string child; in >> child) folders.push_back("/proc/" + child);
  long sum = 0;
  for (const std::string& folder : folders) {
    std::ifstream in(folder + "/smaps_rollup");
    for (std::string word; in >> word;)
      if (long kb = 0; word == "Pss:" && in >> kb) sum += kb;
  }
  return sum;
}

double cpu_us() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto us = [](const timeval& time) {
    return 1e6 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec);
  };
  return us(used.ru_utime) + us(used.ru_stime);
}

class Calls {
 public:
  Calls(const std::string& folder, unsigned threads, bool isolated) {
    const long before_kb = memory_kb();
    Options options;
    options.directory = folder;
    options.host_version = "bench";
    options.trust.folders = false;
    InstanceConfig config{"bench", "abi_scripted.so", {}, {"orderd.step/1"}};
    config.isolated = isolated;
    config.threads = threads;
    const auto begin = Clock::now();
    registry_ = std::make_unique<Registry>(options, std::vector{config});
    registry_->start([this](Completion) {
      std::lock_guard lock(mutex_);
      if (++done_ >= wanted_) changed_.notify_one();
    });
    load_ = Clock::now() - begin;
    memory_kb_ = memory_kb() - before_kb;
  }
  ~Calls() { registry_->stop(); }

  double load_ms() const { return std::chrono::duration<double, std::milli>(load_).count(); }
  /// What loading it added.
  long memory_kb_added() const { return memory_kb_; }
  struct Cost {
    double median_us;  // a command, over the rounds
    double cpu_us;     // of this process, a command, on the average
  };
  Cost cost(std::size_t batch, int rounds) {
    const double cpu_before_us = cpu_us();
    std::vector<double> each;
    for (int i = 0; i < rounds; ++i) {
      std::vector<Command> commands(batch);
      std::generate(commands.begin(), commands.end(), [this] { return command(); });
      const auto begin = Clock::now();
      run(std::move(commands));
      each.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count() /
                     static_cast<double>(batch));
    }
    std::nth_element(each.begin(), each.begin() + rounds / 2, each.end());
    return {each[static_cast<std::size_t>(rounds / 2)],
            (cpu_us() - cpu_before_us) / static_cast<double>(batch) / rounds};
  }

 private:
  Command command() {
    Command one;
    one.order_id = Uuid::v7();
    one.key = "pay-" + std::to_string(++number_) + ".authorize.1.g1";
    one.subject = "pay";
    one.action = "payment.authorize";
    one.deadline = now() + Millis(60'000);
    one.currency = "EUR";
    one.method = "inline";
    return one;
  }
  void run(std::vector<Command> commands) {
    std::unique_lock lock(mutex_);
    wanted_ = done_ + commands.size();
    lock.unlock();
    registry_->step("bench").execute(std::move(commands));
    lock.lock();
    changed_.wait(lock, [&] { return done_ >= wanted_; });
  }

  std::unique_ptr<Registry> registry_;
  Clock::duration load_{};
  long memory_kb_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t done_ = 0, wanted_ = 0;  // guarded by mutex_
  long number_ = 0;
};

}  // namespace
}  // namespace orderd::plugins

int main(int count, char** words) {
  if (count != 2) return std::cerr << "usage: plugin_calls FOLDER\n", 64;
  std::cout << "| plugin | load ms | memory KB | us a command, alone | CPU us | in batches of 64 | CPU us |\n"
               "|---|---|---|---|---|---|---|\n";
  struct Way {
    const char* name;
    unsigned threads;
    bool isolated;
  };
  for (const auto& [name, threads, isolated] :
       {Way{"in this process, no thread of its own", 0, false}, Way{"in this process", 2, false},
        Way{"isolated", 2, true}, Way{"isolated, no thread of its own", 0, true}}) {
    orderd::plugins::Calls calls(words[1], threads, isolated);
    calls.cost(1, 500);  // warm
    const auto alone = calls.cost(1, 5000), many = calls.cost(64, 500);
    std::cout << "| " << name << " | " << calls.load_ms() << " | " << calls.memory_kb_added() << " | "
              << alone.median_us << " | " << alone.cpu_us << " | " << many.median_us << " | " << many.cpu_us
              << " |\n";
  }
}
