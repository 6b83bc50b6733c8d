#include "base/fault.h"

#ifdef ORDERD_FAULTS
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>
#include <string_view>

namespace orderd::fault {
namespace {

struct Wish {
  std::string point;
  int signal = 0;
  std::atomic<long> passes_left{0};
  std::string mutation;
};

Wish& wish() {
  static Wish one;
  return one;
}

[[noreturn]] void refuse(std::string_view text) {
  std::fprintf(stderr, "ORDERD_TEST_FAULT is \"%.*s\": give point:kill:n or point:stop:n\n",
               static_cast<int>(text.size()), text.data());
  std::abort();
}

bool read_environment() {
  if (const char* name = std::getenv("ORDERD_TEST_MUTATION")) wish().mutation = name;
  if (const char* text = std::getenv("ORDERD_TEST_FAULT"); text && *text) {
    const std::string_view all(text);
    const auto first = all.find(':'), second = all.find(':', first + 1);
    if (first == all.npos || second == all.npos) refuse(all);
    const auto action = all.substr(first + 1, second - first - 1);
    if (action != "kill" && action != "stop") refuse(all);
    wish().point = all.substr(0, first);
    wish().signal = action == "kill" ? SIGKILL : SIGSTOP;
    wish().passes_left = std::strtol(text + second + 1, nullptr, 10);
    if (wish().passes_left < 1) refuse(all);
  }
  return !wish().point.empty() || !wish().mutation.empty();
}

}  // namespace

std::atomic<bool> armed{read_environment()};

bool is_awaited(const char* point) { return wish().point == point; }

void pass(const char* point) {
  if (wish().point != point || --wish().passes_left != 0) return;
  std::fprintf(stderr, "fault: %s: signal %d\n", point, wish().signal);
  std::raise(wish().signal);
}

bool is_mutation(const char* name) { return wish().mutation == name; }

namespace {
std::atomic<std::int64_t> turned{0};
}

void turn_clock(std::int64_t ms) { turned = ms; }

std::int64_t clock_turned_ms() {
  static const char* const file = std::getenv("ORDERD_TEST_CLOCK");
  static std::atomic<std::int64_t> read_at{0};
  if (!file) return turned;
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  const std::int64_t tenth = time.tv_sec * 10 + time.tv_nsec / 100'000'000;
  if (read_at.exchange(tenth) != tenth) {
    std::int64_t found = 0;
    if (std::ifstream(file) >> found) turned = found;
  }
  return turned;
}

}  // namespace orderd::fault
#endif
