#pragma once
// One host: the real saga engine over tables in memory, with the calls that it has under way. It can die at
// each moment between two effects, lose its session, or freeze past its lease and go on as if nothing were.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "saga/engine/engine.h"
#include "sim/hits.h"
#include "sim/host_clock.h"
#include "sim/remote.h"

namespace orderd::sim {

class Reader;
class Port;
class HostStore;

class Host {
 public:
  Host(World& world, int number);
  ~Host();
  void turn();
  std::string name() const { return std::string("host") + static_cast<char>('A' + number_); }
  bool is_frozen() const { return frozen_; }
  void set_frozen(bool frozen) { frozen_ = frozen; }
  void answered(const Caller& caller, const Outcome& outcome);

  // For its ports and its store.
  void send(Remote& to, const std::string& digest, Command command);
  /// A moment between two effects.
  void moment(Hit dies, Hit freezes);
  void session_may_break(Hit hit);
  void lock_may_hold();
  void ask_the_time();

 private:
  struct Sent {
    Uuid order;
    std::string key, digest;
    Time deadline;
  };
  struct Death {};
  void start();
  void die();
  void deliver();

  World& world_;
  const int number_;
  int incarnation_ = 0;
  bool frozen_ = false;
  Time up_at_{};
  HostClock clock_;
  std::uint64_t tickets_ = 0;
  std::map<std::uint64_t, Sent> under_way_;
  std::vector<Completion> mailbox_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::unique_ptr<HostStore> store_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<saga::FixedPlugins> plugins_;
  std::unique_ptr<saga::Engine> engine_;
};

}  // namespace orderd::sim
