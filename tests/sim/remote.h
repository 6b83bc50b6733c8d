#pragma once
// A system behind a network: it knows calls by their keys, and everything on the way to it and back may be
// lost, late or refused. What a call does is its heirs' business.
//
// 1. A request arrives before its deadline, or never.
// 2. The same key has its effect once, while the key is remembered; a failure may be remembered as well and
//    is then what every repetition gets.
// 3. A call may take longer than its caller waits: nobody is told then, and a query says "not yet".
#include <map>
#include <optional>
#include <string>

#include "model/step.h"
#include "sim/plan.h"

namespace orderd::sim {

struct World;
class Host;

/// Whom to answer: a host, if it still is the process that asked.
struct Caller {
  Host* host = nullptr;
  int incarnation = 0;
  std::uint64_t ticket = 0;
};

enum class Fate { under_way, done, declined, pending, failed, never };

struct Call {
  std::string key;
  Uuid order;
  std::string action;
  std::int64_t amount = 0;
  Fate fate = Fate::done;
  std::string code{};
  Time at{}, visible{};
  std::optional<Time> expires{};
};

class Remote {
 public:
  Remote(World& world, std::string name, const Weather& weather, Millis key_window)
      : world_(world), name_(std::move(name)), weather_(weather), key_window_(key_window) {}
  virtual ~Remote() = default;
  const std::string& name() const { return name_; }
  void request(const Caller& caller, Command command);
  /// Whether anything of this order is still on its way, here or on the wire.
  bool waits(const Uuid& order) const;
  const Call* find(const std::string& key) const;
  void be_away(Millis time);

 protected:
  /// Does it, and says what became of it. nullopt: not now, ask again; nothing happened.
  virtual std::optional<Call> carry_out(const Command& command, Call call) = 0;
  virtual Outcome outcome_of(const Call& call) const;
  virtual void finished(const Call&) {}
  /// What another account than the order's answers, if this call goes there.
  virtual std::optional<Outcome> misdirected(const Command&) { return std::nullopt; }
  void later(const Uuid& order, Millis wait, std::function<void()> what);
  Call* entry(const std::string& key);

  World& world_;
  std::map<std::string, Call> calls_;

 private:
  void arrive(const Caller& caller, const Command& command);
  void perform(const Caller& caller, const Command& command);
  bool is_known(const Caller& caller, const Command& command);
  void finish(const Caller& caller, const Command& command);
  void ask(const Caller& caller, const Command& command);
  void reply(const Caller& caller, const Command& command, Outcome outcome);

  const std::string name_;
  const Weather weather_;
  const Millis key_window_;
  std::map<Uuid, int> on_their_way_;
  Time away_until_{};
};

Outcome simple(OutcomeKind kind, std::string code);

}  // namespace orderd::sim
