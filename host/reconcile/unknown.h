#pragma once
// The table `unknown_payments`: what a provider holds and no order owns. After a restore it is what was lost;
// with an account that others use it may be theirs. Nothing is done about it but to keep it until a person
// says so. [the connection's thread]
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reconcile/comparison.h"
#include "store/unit_of_work.h"

namespace orderd::reconcile {

/// So many are kept of an instance that nobody acknowledged; more are counted only.
inline constexpr std::int64_t unknown_kept_max = 10'000;

struct UnknownPayment {
  std::int64_t id = 0;
  std::string instance;
  Listed payment;
  Time first_seen{}, last_seen{};
  std::optional<Time> acknowledged;
  std::string actor, reason;  // of who acknowledged it
};

/// Queues the rows; one that is there gets its new totals and stays acknowledged if it is.
void keep_unknown(store::UnitOfWork& work, const std::string& instance,
                  const std::vector<const Listed*>& payments);
/// Queues the deletion of those whose order is there after all.
void forget_known(store::UnitOfWork& work, const std::string& instance, const std::vector<Uuid>& orders);
/// Deletes acknowledged ones that no list had for 90 days.
void forget_old(store::Connection& connection);
/// How many wait to be acknowledged, by instance.
std::map<std::string, std::int64_t> count_unknown(store::Connection& connection);
/// Oldest first, up to `limit`; `all`: acknowledged ones, too.
std::vector<UnknownPayment> list_unknown(store::Connection& connection,
                                         const std::optional<std::string>& instance, bool all,
                                         std::int64_t limit);
/// Which of them were acknowledged now. Commits nothing.
std::set<std::int64_t> acknowledge(store::UnitOfWork& work, const std::vector<std::int64_t>& ids,
                                   const std::string& actor, const std::string& reason);

/// Makes the sweep of one instance, or of all that were ever swept, due at once, from `since` on if that is
/// given. Returns their names.
std::vector<std::string> ask_for_sweep(store::UnitOfWork& work, const std::optional<std::string>& instance,
                                       const std::optional<Time>& since);

}  // namespace orderd::reconcile
