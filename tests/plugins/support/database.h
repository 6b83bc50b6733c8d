#pragma once
// A database of the test's own on the server that ORDERD_TEST_PG names; it ends with the object.
#include <cstdint>
#include <string>

#include "store/connection.h"

namespace orderd::plugins::test {

class Database {
 public:
  Database();
  ~Database();
  Database(const Database&) = delete;

  const std::string& url() const { return url_; }
  const std::string& name() const { return name_; }
  /// A session of its own.
  store::Connection connect() const { return store::Connection({url_}); }
  /// One text or number, as text; "" for NULL or no row.
  std::string ask(const std::string& sql);
  std::int64_t count(const std::string& sql) { return std::stoll(ask(sql)); }
  void script(const std::string& sql) { connection_.script(sql); }
  /// On the server's own database.
  void admin(const std::string& sql) { admin_.script(sql); }
  /// Ends all other sessions of this database whose application name is like this.
  void end_sessions(const std::string& application_like);

 private:
  store::Connection admin_;
  const std::string name_, url_;
  store::Connection connection_;
};

/// True as soon as `condition` is; false after 20 s.
template <typename Condition>
bool eventually(Condition condition);

}  // namespace orderd::plugins::test

#include <chrono>
#include <thread>

template <typename Condition>
bool orderd::plugins::test::eventually(Condition condition) {
  for (int i = 0; i < 4000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}
