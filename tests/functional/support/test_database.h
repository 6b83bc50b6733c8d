#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "store/connection.h"

namespace orderd::test {

/// The variable's value; fails the test with what to do if it is not set.
std::string required_env(const char* name);

/// True once `condition` holds; false if it does not within a bound.
template <typename Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// A database of one test's own with the host's schema, dropped at the end.
class TestDatabase {
 public:
  TestDatabase();
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  store::ConnectionOptions options() const;
  /// The test's own session, which `end_sessions` leaves alone.
  store::Connection& session() { return *session_; }
  void script(const std::string& sql) { session_->script(sql); }
  /// The first column of the only row, a count or another int8.
  std::int64_t number(const std::string& sql);
  /// Ends all other sessions on this database, as a restart would; returns how many.
  std::int64_t end_sessions();

 private:
  store::Connection admin_;
  std::string name_;
  std::unique_ptr<store::Connection> session_;
};

}  // namespace orderd::test
