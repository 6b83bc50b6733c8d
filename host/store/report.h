#pragma once
#include <set>
#include <string>
#include <vector>

#include "store/connection.h"

namespace orderd::store {

/// What an operator reads: names and values as text.
struct Report {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::set<std::string> numbers{};  // columns whose values are whole numbers, or ""
};

/// Runs a constant, read-only SELECT whose columns are all text, by Poco::Data: cold, and no types to lose.
/// Opens a session of its own and closes it; sets PG* variables of
/// this process on the way, so it is for a program with one thread. Throws DbError.
Report read_report(const ConnectionOptions& options, const std::string& sql);

}  // namespace orderd::store
