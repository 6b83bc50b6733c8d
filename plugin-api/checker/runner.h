#pragma once
// Runs each check in a process of its own, and tells what came of it.
#include "check.h"

namespace orderd::checker {

struct Result {
  enum class Kind { passed, failed, skipped };
  const Check* check = nullptr;
  Kind kind = Kind::passed;
  bool unjudged = false;              // skipped, and would be judged if the checker were called otherwise
  std::vector<std::string> findings;  // of a failure; a single reason of a skip
  std::int64_t took_ms = 0;
};

Result run(const Check& check, const Options& options);

/// For people, one result a line, findings below it.
void print(const Result& result);
/// For programs: {"library":…,"passed":n,"failed":n,"skipped":n,"unjudged":n,
/// "checks":[{"name","result","unjudged","findings":[…]}]}; what is unjudged is among the skipped.
std::string to_json(const Options& options, const std::vector<Result>& results);

}  // namespace orderd::checker
