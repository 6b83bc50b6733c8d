#pragma once
// Compares what payment providers hold with what orders should have, every few minutes: the net under lost
// answers and lost webhooks.
//
// 1. One host takes a provider's next sweep (`sweeps`, whoever is first); one that dies is made up for by
//    the next, because `since` only moves on at a sweep's end.
// 2. The provider's list is asked for page by page (payment.list_since). Each payment is compared with its
//    saga; a difference becomes a notice in `saga_inbox`, and the saga does what it does with a webhook: it
//    learns, undoes a charge that no live order owns, or asks for a person's attention.
// 3. A payment of no order of ours is kept in `unknown_payments` until a person has acknowledged it, and
//    never touched: it may belong to another shop that shares the account.
// 4. Every instance of this host is swept, whoever names it: also one that only routes name, or that is
//    kept for the orders of the past.
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "plugin_ports/step.h"
#include "reconcile/comparison.h"
#include "store/connection.h"

namespace orderd::reconcile {

struct Options {
  store::ConnectionOptions database;
  std::chrono::seconds interval{300};
  std::chrono::seconds call_limit{30};
  std::chrono::seconds still_after{60};     // a live saga that has not moved for so long is compared
  std::chrono::seconds settled_after{600};  // so old must an end be to believe a list that knows less
  std::chrono::seconds overlap{900};  // lists lag: each sweep begins so long before the last one's start
};

class Sweeper {
 public:
  /// `steps`: the present build of every instance, asked for before each look; those that have no list are
  /// left out.
  Sweeper(Options options, std::function<std::vector<plugins::StepPort*>()> steps);
  /// True: the completion was for a sweep. [any thread]
  [[nodiscard]] bool take(const Completion& completion);
  void run(std::stop_token stop);

  struct Sweep {
    bool whole = false;  // every page was compared
    int compared = 0, behind = 0, reversed = 0, unknown = 0;
  };
  /// The instance's sweep if it is due. Throws DbError.
  std::optional<Sweep> sweep(store::Connection& connection, plugins::StepPort& step, std::stop_token stop);

 private:
  std::optional<Page> ask(plugins::StepPort& step, Time since, const std::string& cursor,
                          std::stop_token stop);
  void compare_all(store::Connection& connection, const std::string& instance, const Page& page,
                   Sweep& sweep);
  void report(const std::string& instance, const Sweep& sweep);
  void look(std::unique_ptr<store::Connection>& connection, std::stop_token stop);
  void tell_unknown(store::Connection& connection);

  const Options options_;
  const std::function<std::vector<plugins::StepPort*>()> steps_;
  std::chrono::steady_clock::time_point told_{};
  std::mutex mutex_;
  std::condition_variable_any answered_;
  std::string asked_;              // key; guarded by mutex_
  std::optional<Outcome> answer_;  // guarded by mutex_
};

}  // namespace orderd::reconcile
