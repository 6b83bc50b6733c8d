// orderd_sim: whole histories of orders, each made from its seed. `./x sim` builds and runs it; README.md
// says what is in it.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "sim/world.h"

namespace orderd::sim {
namespace {

constexpr std::uint64_t all_reached_from = 5000;  // so many seeds come past everything
constexpr int failures_shown_max = 5;

struct Options {
  std::uint64_t first = 1, last = 20'000;
  std::optional<std::uint64_t> one;
  int minutes = 0;
  unsigned workers = std::max(1u, std::thread::hardware_concurrency());
};

struct Result {
  std::string complaint, trace;
  Hits hits;
  std::size_t orders = 0;
  int crashes = 0, calls = 0;
};

Result play(std::uint64_t seed, bool traced) {
  World world(seed, traced);
  Result result;
  try {
    world.run();
  } catch (const Wrong& wrong) { result.complaint = wrong.text; } catch (const std::exception& error) {
    result.complaint = error.what();
  }
  if (!result.complaint.empty()) world.say([&] { return "WRONG: " + result.complaint; });
  result.trace = std::move(world.trace);
  result.hits = world.hits;
  result.orders = world.placed.size();
  result.crashes = world.crashes;
  result.calls = world.calls;
  return result;
}

int replay(std::uint64_t seed) {
  const Result first = play(seed, true), second = play(seed, true);
  std::fputs(first.trace.c_str(), stdout);
  if (first.trace != second.trace) {
    std::puts("WRONG: the same seed gave another history");
    return 1;
  }
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
              first.complaint.empty() ? "all laws hold" : first.complaint.c_str());
  return first.complaint.empty() ? 0 : 1;
}

/// Takes seeds from a counter until there are no more, or the time is over, or too much is wrong.
struct Run {
  const Options options;
  std::atomic<std::uint64_t> next;
  std::atomic<std::uint64_t> histories{0}, orders{0}, crashes{0}, calls{0};
  std::atomic<int> failures{0};
  std::mutex mutex;
  std::array<std::uint64_t, hits_count> met{};  // histories that met it; guarded by mutex
  const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();

  explicit Run(const Options& wished) : options(wished), next(wished.first) {}
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  bool goes_on(std::uint64_t seed) const {
    if (failures >= failures_shown_max) return false;
    return options.minutes > 0 ? seconds() < options.minutes * 60.0 : seed <= options.last;
  }
  void work() {
    std::array<std::uint64_t, hits_count> mine{};
    for (std::uint64_t seed; goes_on(seed = next++);) {
      // Now and then one is made twice, to see that it comes out the same.
      const bool twice = seed % 100 == 0;
      const Result result = play(seed, twice);
      const bool same = !twice || play(seed, true).trace == result.trace;
      for (std::size_t i = 0; i < hits_count; ++i) mine[i] += result.hits[i];
      ++histories;
      orders += result.orders;
      crashes += static_cast<std::uint64_t>(result.crashes);
      calls += static_cast<std::uint64_t>(result.calls);
      if (result.complaint.empty() && same) continue;
      ++failures;
      std::lock_guard lock(mutex);
      std::printf("seed %llu: %s\n  replay: ./x sim --seed %llu\n", static_cast<unsigned long long>(seed),
                  same ? result.complaint.c_str() : "another history at the second time",
                  static_cast<unsigned long long>(seed));
      std::fflush(stdout);
    }
    std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < hits_count; ++i) met[i] += mine[i];
  }
};

/// What was met least often, and whether all was.
bool show_met(const Run& run) {
  std::vector<std::pair<std::uint64_t, std::string>> rare;
  for (std::size_t i = 0; i < hits_count; ++i) rare.emplace_back(run.met[i], name(static_cast<Hit>(i)));
  std::stable_sort(rare.begin(), rare.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto none = std::count_if(rare.begin(), rare.end(), [](const auto& one) { return one.first == 0; });
  std::printf("%zu kinds of events, %td not met; rarest:", rare.size(), none);
  for (std::size_t i = 0; i < std::max<std::size_t>(5, static_cast<std::size_t>(none)); ++i)
    std::printf(" %s (%llu)", rare[i].second.c_str(), static_cast<unsigned long long>(rare[i].first));
  std::puts("");
  return none == 0;
}

int run_many(const Options& options) {
  Run run(options);
  std::vector<std::jthread> workers;
  for (unsigned i = 0; i < options.workers; ++i) workers.emplace_back([&run] { run.work(); });
  workers.clear();
  std::printf("%llu histories, %llu orders, %llu calls, %llu deaths in %.1f s\n",
              static_cast<unsigned long long>(run.histories), static_cast<unsigned long long>(run.orders),
              static_cast<unsigned long long>(run.calls), static_cast<unsigned long long>(run.crashes),
              run.seconds());
  const bool all_met = show_met(run);
  return run.failures == 0 && (all_met || run.histories < all_reached_from) ? 0 : 1;
}

[[noreturn]] void usage() {
  std::fputs("orderd_sim [--seed N | --seeds A-B | --minutes M] [--workers N]\n", stderr);
  std::exit(2);
}

std::uint64_t number(const char* text, const char** end = nullptr) {
  char* stop = nullptr;
  const auto value = std::strtoull(text, &stop, 10);
  if (stop == text || (!end && *stop != 0)) usage();
  if (end) *end = stop;
  return value;
}

Options read(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (i + 1 == argc) usage();
    const char* value = argv[++i];
    if (option == "--seed") {
      options.one = number(value);
    } else if (option == "--minutes") {
      options.minutes = static_cast<int>(number(value));
      options.first = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    } else if (option == "--workers") {
      options.workers = std::max(1u, static_cast<unsigned>(number(value)));
    } else if (option == "--seeds") {
      const char* rest = nullptr;
      options.first = number(value, &rest);
      if (*rest != '-') usage();
      options.last = number(rest + 1);
    } else {
      usage();
    }
  }
  return options;
}

}  // namespace
}  // namespace orderd::sim

int main(int argc, char** argv) {
  using namespace orderd::sim;
  const Options options = read(argc, argv);
  // Deaths and lost sessions are every history's daily bread.
  orderd::set_log_level(static_cast<orderd::LogLevel>(static_cast<int>(orderd::LogLevel::error) + 1));
  return options.one ? replay(*options.one) : run_many(options);
}
