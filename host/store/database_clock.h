#pragma once
// Hosts share one clock, the database's: base/clock.h carries it on, and here it is asked for. A host's own
// clock may be wrong: then it says so, and nothing else comes of it. [any thread]
#include <string>

namespace orderd::store {

class Connection;

/// Asks the server for its time and hands it to base/clock. Every new session does so while the process knows
/// no time yet; after that a host does once a second. Throws DbError.
void measure_clock(Connection& connection);
/// For readiness: "" or what is wrong with this host's clock.
std::string clock_problem();

}  // namespace orderd::store
