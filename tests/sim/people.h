#pragma once
// Buyers, who order and change their minds; the sweeper, who compares the provider's list with what orders
// know; and operators, who let go what is stuck, but only when the provider has nothing under way any more.
#include <map>
#include <set>

#include "model/event.h"
#include "saga/core/decide.h"

namespace orderd::sim {

struct World;

class People {
 public:
  explicit People(World& world) : world_(world) {}
  /// Enters all that buyers will do.
  void arrive();
  bool all_came() const { return coming_ == 0; }
  void turn();
  /// No difference is left that a sweep would find.
  bool is_content() const;

 private:
  void place();
  void cancel(const Uuid& order);
  void sweep();
  void operate();
  void decide(const Uuid& order, const saga::Saga& saga);
  saga::Verb payment_verb(const saga::Saga& saga);
  saga::Verb settle_by_hand(const saga::Saga& saga);
  void say(const Uuid& order, const saga::Saga& saga, saga::Verb verb);
  void acknowledge(const Uuid& order, const saga::Saga& saga);

  World& world_;
  int coming_ = 0;
  Time sweeps_at_{}, operates_at_{};
  std::map<Uuid, int> tries_;
  int decisions_ = 0;
  std::set<Uuid> acknowledged_;
};

}  // namespace orderd::sim
