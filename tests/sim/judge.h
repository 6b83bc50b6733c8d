#pragma once
// Looks after every turn whether the laws hold, and shares no code with the host but the reading of events.
//
// 1. Money: nobody is charged twice, no more is given back than was taken, nothing is captured after the
//    end.
// 2. An order ends only when its money and its goods are back. What comes later than that (an authorization
//    that a provider lets through after the void, a refund that fails after days) is undone.
// 3. Events: versions without a gap, the row is what the last one says, an end is an end.
// 4. What a person settled past the provider counts as given back from the moment that the saga has taken
//    it, and the provider gives back no more than the rest. A refund that fails is sent again once without
//    a person.
// 5. A call goes out only behind its committed intent; an order keeps the definition that it began with.
#include <map>
#include <set>
#include <string>

#include "model/event.h"
#include "model/order.h"
#include "saga/core/state.h"

namespace orderd::sim {

struct World;

class Judge {
 public:
  explicit Judge(World& world) : world_(world) {}
  void look();
  void at_the_end();
  /// The provider took or holds money of an order that is over.
  void late_money(const Uuid& order, const std::string& action);
  void sent(const Uuid& order, const std::string& key);
  /// A person settles so much of an order past the provider, and says so with this word in the verb's reason.
  void decided(const Uuid& order, std::string word, std::int64_t amount);
  bool is_decided(const Uuid& order) const { return decisions_.contains(order); }
  /// What must still go back to the buyer, or be let go.
  std::int64_t held(const Uuid& order) const;
  /// A person gives a verb: what the host sends next is the person's.
  void asked(const Uuid& order) { ++of_[order].verbs; }
  /// So many refunds of an order were done at the host's word.
  void refunds(const Uuid& order, int count);
  /// When anything was last written for this order.
  Time moved(const Uuid& order) { return of_[order].moved; }

 private:
  struct Seen {
    std::int32_t version = 0;
    Status status = Status::pending;
    bool late = false, stuck = false;
    std::string definition;
    Time moved{};
    std::int64_t by_hand = 0;  // settled past the provider, and taken by the saga
    int verbs = 0;
  };
  struct Decision {
    std::string word;
    std::int64_t amount = 0;
  };
  void take_decisions(const Uuid& order);
  void read(const Event& event);
  void ended(const Event& event, const OrderHead& head);
  void look_at_saga(const Uuid& order);
  void look_at_money();
  void look_at_goods() const;
  bool holds_goods(const Uuid& order) const;
  bool has_goods(const Uuid& order) const;
  [[noreturn]] void complain(const Uuid& order, const std::string& what) const;

  World& world_;
  std::map<Uuid, Seen> of_;
  std::map<Uuid, std::vector<Decision>> decisions_;  // that no saga has taken yet; an entry stays
  std::set<std::string> intents_;
  std::size_t read_ = 0;
};

}  // namespace orderd::sim
