// orderctl reconcile: compares with the providers at once, and what they hold that no order owns.
#include <algorithm>
#include <iostream>

#include "auth/audit.h"
#include "base/clock.h"
#include "orderctl/given.h"
#include "reconcile/unknown.h"

namespace orderd::ctl {
namespace {

constexpr std::int64_t listed_max = 1000;

int sweep(Context& context, const Words& words) {
  const Given given(words, {"--since"});
  if (given.words.size() > 1) throw UsageError("\"" + given.words[1] + "\" is too much here");
  std::optional<Time> since;
  if (const auto text = given.option("--since"); text && !(since = parse_rfc3339(*text)))
    throw UsageError("--since is a time such as 2026-01-31T12:00:00Z, not " + *text);
  std::optional<std::string> instance;
  if (!given.words.empty()) instance = given.words[0];
  store::UnitOfWork work(context.connection());
  const auto names = reconcile::ask_for_sweep(work, instance, since);
  work.commit();
  if (names.empty())
    throw std::runtime_error(
        "no provider of that name was ever compared: a host with the role saga begins, if "
        "reconcile.interval_s is not 0 and the plugin has a list");
  for (const std::string& name : names) std::cout << name << " is compared within seconds\n";
  return 0;
}

int unknown(Context& context, const Words& words) {
  const Given given(words, {}, {"--all"});
  if (given.words.size() > 1) throw UsageError("\"" + given.words[1] + "\" is too much here");
  std::optional<std::string> instance;
  if (!given.words.empty()) instance = given.words[0];
  store::Report report{{"id", "instance", "reference", "subject", "authorized", "captured", "refunded",
                        "voided", "first_seen", "last_seen", "acknowledged", "by", "reason"},
                       {}};
  const auto found = reconcile::list_unknown(context.connection(), instance, given.flag("--all"), listed_max);
  for (const auto& one : found)
    report.rows.push_back(
        {std::to_string(one.id), one.instance, one.payment.reference, one.payment.subject,
         std::to_string(one.payment.totals.authorized), std::to_string(one.payment.totals.captured),
         std::to_string(one.payment.totals.refunded), std::to_string(one.payment.totals.voided),
         to_rfc3339(one.first_seen), to_rfc3339(one.last_seen),
         one.acknowledged ? to_rfc3339(*one.acknowledged) : "", one.actor, one.reason});
  context.print(report);
  if (static_cast<std::int64_t>(found.size()) == listed_max)
    std::cerr << "the oldest " << listed_max << "; acknowledge some to see more\n";
  return 0;
}

int acknowledge(Context& context, const Words& words) {
  const Given given(words, {"--reason"}, {"--all"});
  const std::string reason = given.reason(), who = actor();
  std::vector<std::int64_t> ids;
  if (given.flag("--all")) {
    if (given.words.size() != 1) throw UsageError("with --all exactly one INSTANCE is needed");
    for (const auto& one : reconcile::list_unknown(context.connection(), given.words[0], false, listed_max))
      ids.push_back(one.id);
  } else {
    for (const std::string& word : given.words) ids.push_back(number(word, "ID"));
    if (ids.empty()) throw UsageError("IDs are needed, or --all INSTANCE");
  }
  store::UnitOfWork work(context.connection());
  const auto done = reconcile::acknowledge(work, ids, who, reason);
  for (const std::int64_t id : done)
    auth::write_audit(work, {who, "reconcile.acknowledge", "unknown_payments:" + std::to_string(id), reason});
  work.commit();
  std::cout << done.size() << " acknowledged\n";
  for (const std::int64_t id : ids)
    if (!done.contains(id)) std::cerr << "orderctl: " << id << " is not there, or acknowledged already\n";
  return done.size() == ids.size() ? 0 : 1;
}

}  // namespace

std::vector<Verb> reconcile_verbs() {
  return {
      {"reconcile", "[INSTANCE] [--since TIME]",
       "compares with what the payment providers hold at once, from that time on", sweep},
      {"reconcile unknown", "[INSTANCE] [--all]",
       "payments of no order of this database that nobody has acknowledged; amounts in minor units", unknown},
      {"reconcile acknowledge", "ID...|--all INSTANCE --reason TEXT",
       "says that a person has dealt with them; moves no money", acknowledge},
  };
}

}  // namespace orderd::ctl
