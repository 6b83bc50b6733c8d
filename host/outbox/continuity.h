#pragma once
// A memory outside of the database of how far it was: a database that went back (a restore, a standby that
// took over without the last commits) cannot tell that itself. [one thread at a time]
#include <filesystem>
#include <map>
#include <string>

#include "outbox/marks.h"
#include "store/unit_of_work.h"

namespace orderd::outbox {

class Continuity {
 public:
  /// `file`: where it is kept while no host runs; "" or one that cannot be written: as long as this object
  /// lives.
  explicit Continuity(std::filesystem::path file);
  /// Compares the database with what is remembered, and remembers it. "" when it goes on from there; else one
  /// line for a person: what is lost and how to go on. Another server or timeline that lost nothing begins a
  /// new epoch of the log by itself. Throws DbError.
  std::string judge(store::Connection& connection);

 private:
  struct Seen {
    std::string epoch;                          // the log's
    std::map<std::int16_t, std::int64_t> ends;  // by shard
    bool operator==(const Seen&) const = default;
  };
  void read();
  void write() const;
  const std::filesystem::path file_;
  Seen seen_;
};

/// A person's word that the database, as it is now, is the one to go on with: begins a new epoch of the log.
/// Commits nothing.
void accept_database(store::UnitOfWork& work, const std::string& actor, const std::string& reason);

}  // namespace orderd::outbox
