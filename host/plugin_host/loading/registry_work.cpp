// What of the registry takes its time: starts, and starts again; builds that are loaded while the host runs.
#include <algorithm>

#include "base/log.h"
#include "plugin_host/loading/registry_entry.h"
#include "store/connection.h"

namespace orderd::plugins {
namespace {

constexpr Millis load_patience{500}, load_again_first{10'000}, load_again_max{300'000};
constexpr Millis start_again_first{1'000}, start_again_max{60'000};

Millis wait_after(int failures, Millis first, Millis most) {
  return std::min(most, first * (std::int64_t{1} << std::min(failures - 1, 16)));
}

}  // namespace

void Registry::start(const CompletionSink& sink) {
  {
    std::lock_guard lock(mutex_);
    sink_ = sink;
  }
  // Without the lock: it may take its time, and nobody adds a build before.
  for (const auto& entry : entries_)
    for (const auto& build : entry->builds) {
      try {
        build->start(sink);
      } catch (const PluginError& error) {
        log_error("plugin", "a plugin does not start; it is tried again, and the others serve meanwhile",
                  {{"instance", entry->config.name}, {"error", error.what()}});
        std::lock_guard lock(mutex_);
        unstarted_.push_back(
            {entry.get(), build.get(), {false, 1, steady_now() + start_again_first, error.what()}});
      }
    }
  std::lock_guard lock(mutex_);
  if (!unstarted_.empty()) wake_worker();
}

std::map<std::string, std::string> Registry::not_started() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, std::string> out;
  for (const Unstarted& one : unstarted_) out[one.entry->config.name] = one.tried.problem;
  return out;
}

void Registry::stop() {
  ends_.request_stop();
  std::jthread worker;
  {
    std::lock_guard lock(mutex_);
    worker = std::move(worker_);
  }
  if (worker.joinable()) worker.request_stop(), worker.join();
  std::lock_guard lock(mutex_);
  sink_ = nullptr;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
    for (const auto& build : (*entry)->builds) (void)build->stop();
}

void Registry::wake_worker() {
  changed_.notify_all();
  if (!worker_.joinable() && !ends_.stop_requested())
    worker_ = std::jthread([this](std::stop_token stop) { work(stop); });
}

/// What takes its time and nobody may wait for: builds that orders in flight need, and starts again.
void Registry::work(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    Millis next = steady_now() + load_again_max;
    for (const Unstarted& one : unstarted_) next = std::min(next, one.tried.next);
    changed_.wait_for(lock, stop, std::max(Millis(0), next - steady_now()), [&] { return !wishes_.empty(); });
    if (stop.stop_requested()) return;
    if (!wishes_.empty()) {
      const auto [entry, digest] = std::move(wishes_.front());
      wishes_.pop_front();
      lock.unlock();
      load_wished(*entry, digest);
      lock.lock();
    }
    const auto due = std::find_if(unstarted_.begin(), unstarted_.end(),
                                  [](const Unstarted& one) { return one.tried.next <= steady_now(); });
    if (due == unstarted_.end()) continue;
    lock.unlock();
    start_again(*due);
    lock.lock();
    if (due->tried.problem.empty()) unstarted_.erase(due);
  }
}

void Registry::load_wished(Entry& entry, const std::string& digest) {
  std::string problem;
  try {
    (void)load(entry, digest, nullptr, Older::yes);
  } catch (const std::exception& error) { problem = error.what(); }
  std::lock_guard lock(mutex_);
  Tried& tried = entry.tried[digest];
  tried.loading = false;
  tried.problem = problem;
  tried.failures = problem.empty() ? 0 : tried.failures + 1;
  if (!problem.empty())
    tried.next = steady_now() + wait_after(tried.failures, load_again_first, load_again_max);
  changed_.notify_all();
}

void Registry::start_again(Unstarted& one) {
  CompletionSink sink;
  {
    std::lock_guard lock(mutex_);
    sink = sink_;
  }
  std::string problem;
  try {
    one.build->start(sink);
    log_info("plugin", "a plugin has started after all", {{"instance", one.entry->config.name}});
  } catch (const PluginError& error) { problem = error.what(); }
  std::lock_guard lock(mutex_);
  one.tried.problem = problem;
  one.tried.next = steady_now() + wait_after(++one.tried.failures, start_again_first, start_again_max);
}

/// The build if it is loaded; else it is wished for, once.
Build* Registry::wish(Entry& entry, const std::string& digest) {
  std::unique_lock lock(mutex_);
  if (Build* build = entry.find(digest)) return build;
  if (!store_.find(digest)) return nullptr;
  Tried& tried = entry.tried[digest];
  if (!tried.loading && steady_now() >= tried.next && !ends_.stop_requested()) {
    tried.loading = true;
    wishes_.push_back({&entry, digest});
    wake_worker();
    changed_.wait_for(lock, load_patience, [&] { return !tried.loading; });
  }
  if (Build* build = entry.find(digest)) return build;
  throw PluginError(!tried.problem.empty()
                        ? tried.problem
                        : "plugin \"" + entry.config.name + "\": build " + digest + " is being loaded");
}

void Registry::add(std::string_view name, const std::string& digest, store::Connection& connection,
                   Older older, bool at_once) {
  Entry* entry = find(name);
  if (!entry) unknown_instance(name);
  const auto tried = [&](const std::string& problem, bool counts) {
    std::lock_guard lock(mutex_);
    Tried& last = entry->tried[digest];
    last.problem = problem;
    last.failures = problem.empty() ? 0 : last.failures + 1;
    last.next =
        counts ? steady_now() + wait_after(last.failures, load_again_first, load_again_max) : Millis(0);
  };
  {
    std::lock_guard lock(mutex_);
    const auto last = entry->tried.find(digest);
    if (!at_once && last != entry->tried.end() && !last->second.problem.empty() &&
        steady_now() < last->second.next)
      throw PluginError(last->second.problem);
  }
  try {
    if (!load(*entry, digest, &connection, older))
      fail(entry->config.name, store_.folder() / (digest + ".so"), "that build is not on this host",
           "install it here: orderctl plugin install " + entry->config.name + " FILE");
    tried("", false);
  } catch (const std::exception& error) {
    const auto* from_database = dynamic_cast<const store::DbError*>(&error);
    tried(error.what(), !from_database || !from_database->connection_lost);
    throw;
  }
}

}  // namespace orderd::plugins
