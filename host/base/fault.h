#pragma once
// Faults on purpose, for the tests alone: compiled to nothing unless the build has ORDERD_FAULTS, and then
// one relaxed load where none is wished for. Wishes come from the environment, read once at the start:
//
//   ORDERD_TEST_FAULT=saga.after_commit:kill:3   SIGKILL when this point is passed the third time; or stop
//   ORDERD_TEST_MUTATION=relay_before_report     behave as that known error would
//
// A point stands between two effects: before and after a commit, a call of a provider, a publication.
// A mutation puts an error back that the tests must notice (tests/mutation). [any thread]
#include <atomic>

namespace orderd::fault {

#ifdef ORDERD_FAULTS
extern std::atomic<bool> armed;  // false too while nothing is constructed yet
void pass(const char* point);
bool is_mutation(const char* name);
inline bool mutation(const char* name) { return armed.load(std::memory_order_relaxed) && is_mutation(name); }
#define ORDERD_FAULT_POINT(name) \
  (::orderd::fault::armed.load(std::memory_order_relaxed) ? ::orderd::fault::pass(name) : void())
#else
constexpr bool mutation(const char*) { return false; }
#define ORDERD_FAULT_POINT(name) void()
#endif

}  // namespace orderd::fault
