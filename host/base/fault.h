#pragma once
// Faults on purpose, for the tests alone: compiled to nothing unless the build has ORDERD_FAULTS, and then
// one relaxed load where none is wished for. Wishes come from the environment, read once at the start:
//
//   ORDERD_TEST_FAULT=saga.after_commit:kill:3   SIGKILL when this point is passed the third time; or stop
//   ORDERD_TEST_MUTATION=relay_before_report     behave as that known error would
//   ORDERD_TEST_CLOCK=FILE                       the host's clock is wrong by the milliseconds that it holds
//
// A point stands between two effects: before and after a commit, a call of a provider, a publication.
// A mutation puts an error back that the tests must notice (tests/mutation). [any thread]
#include <atomic>
#include <cstdint>

namespace orderd::fault {

#ifdef ORDERD_FAULTS
extern std::atomic<bool> armed;  // false too while nothing is constructed yet
void pass(const char* point);
/// Whether a wish names this point: for a point that has to be made first, such as data half sent.
bool is_awaited(const char* point);
inline bool awaited(const char* point) { return armed.load(std::memory_order_relaxed) && is_awaited(point); }
bool is_mutation(const char* name);
/// How far somebody turned this host's clock: the file is read again ten times a second.
std::int64_t clock_turned_ms();
/// The same from within a test's own process.
void turn_clock(std::int64_t ms);
inline bool mutation(const char* name) { return armed.load(std::memory_order_relaxed) && is_mutation(name); }
#define ORDERD_FAULT_POINT(name) \
  (::orderd::fault::armed.load(std::memory_order_relaxed) ? ::orderd::fault::pass(name) : void())
#else
constexpr bool awaited(const char*) { return false; }
constexpr bool mutation(const char*) { return false; }
constexpr std::int64_t clock_turned_ms() { return 0; }
#define ORDERD_FAULT_POINT(name) void()
#endif

}  // namespace orderd::fault
