#pragma once
#include <atomic>
#include <string>
#include <thread>

#include "store/connection.h"

namespace orderd::test {

/// A TCP proxy before PostgreSQL that can lose what the server says to one COMMIT. One client at a time passes through
/// each of its threads' connections; all end with it.
class CuttingProxy {
 public:
  /// `to`: a session on the server to stand before.
  explicit CuttingProxy(store::Connection& to);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  /// The options of `direct`, by way of this proxy.
  std::string url(store::Connection& direct) const;
  enum class Cut { none, before_commit, after_commit };
  /// The next transaction that ends with COMMIT loses its connection: before the server sees it, or once it has answered.
  void arm(Cut cut) { cut_ = cut; }
  /// True once the armed cut has happened.
  bool has_cut() const { return cut_ == Cut::none; }

 private:
  void accept_all();
  void serve(int client);
  int connect_server() const;
  const std::string host_, port_;
  int listener_;
  std::uint16_t own_port_ = 0;
  std::atomic<Cut> cut_{Cut::none};
  std::atomic<bool> ending_{false};
  std::vector<std::thread> serving_;  // the accepting thread's, then the destructor's
  std::thread accepting_;
};

}  // namespace orderd::test
