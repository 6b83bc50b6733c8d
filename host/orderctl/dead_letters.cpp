// orderctl dead-letters: events and records that no consumer could take.
#include "admin/dead_letters.h"

#include <iostream>

#include "orderctl/given.h"

namespace orderd::ctl {
namespace {

constexpr int page = 100;

int list(Context& context, const Words& words) {
  const Given given(words, {"--consumer"});
  if (!given.words.empty()) throw UsageError("\"" + given.words[0] + "\" is too much here");
  store::Report report{{"id", "consumer", "order_id", "version", "at", "replay", "reason"}, {}};
  report.numbers = {"id", "version"};
  admin::LetterFilter filter{given.option("--consumer"), {}, 0};
  for (bool more = true; more;) {
    const auto found = admin::letters(context.connection(), filter, page);
    more = found.size() > page;
    for (const auto& one : found)
      if (one.id > filter.after && (!more || &one != &found.back())) {
        filter.after = one.id;
        report.rows.push_back({std::to_string(one.id), one.consumer,
                               one.event ? one.event->order_id.to_string() : "",
                               one.event ? std::to_string(one.event->version) : "", to_rfc3339(one.at),
                               one.replay ? to_rfc3339(*one.replay) : "", one.reason});
      }
  }
  return context.print(report), 0;
}

int show(Context& context, const Words& words) {
  if (words.size() != 1) throw UsageError("dead-letters show needs ID");
  const auto letter = admin::letter(context.connection(), number(words[0], "ID"));
  if (!letter) {
    std::cerr << "orderctl: there is no dead letter " << words[0] << "\n";
    return 1;
  }
  return std::cout << admin::letter_json(*letter, true) << "\n", 0;
}

int replay(Context& context, const Words& words) {
  const Given given(words, {"--consumer", "--rate", "--reason"});
  admin::ReplayWish wish;
  for (const std::string& word : given.words) wish.ids.push_back(number(word, "ID"));
  wish.consumer = given.option("--consumer");
  if (wish.ids.empty() == !wish.consumer) throw UsageError("either IDs or --consumer NAME is needed");
  if (const auto rate = given.option("--rate")) wish.per_second = number(*rate, "--rate");
  if (wish.per_second < 1 || wish.per_second > admin::letters_per_second_max)
    throw UsageError("--rate is from 1 to " + std::to_string(admin::letters_per_second_max) + " a second");
  wish.reason = given.reason();
  wish.actor = actor();
  const auto done = admin::replay(context.connection(), wish);
  for (const auto& [id, problem] : done.refused) std::cerr << "orderctl: " << id << ": " << problem << "\n";
  store::Report report{{"accepted", "refused", "until", "more"}, {}};
  report.numbers = {"accepted", "refused"};
  report.rows.push_back({std::to_string(done.accepted.size()), std::to_string(done.refused.size()),
                         to_rfc3339(done.until), done.more ? "yes" : "no"});
  context.print(report);
  return done.refused.empty() ? 0 : 1;
}

int remove(Context& context, const Words& words) {
  const Given given(words, {"--consumer", "--reason"});
  admin::ReplayWish wish;
  for (const std::string& word : given.words) wish.ids.push_back(number(word, "ID"));
  wish.consumer = given.option("--consumer");
  if (wish.ids.empty() == !wish.consumer) throw UsageError("either IDs or --consumer NAME is needed");
  wish.reason = given.reason();
  wish.actor = actor();
  const auto done = admin::delete_foreign(context.connection(), wish);
  std::cout << done.count << " deleted" << (done.more ? "; there may be more\n" : "\n");
  const bool all = wish.consumer || done.count == static_cast<std::int64_t>(wish.ids.size());
  if (!all)
    std::cerr << "orderctl: the others are not there, or are events of orders: those can be replayed only\n";
  return all ? 0 : 1;
}

}  // namespace

std::vector<Verb> dead_letter_verbs() {
  return {
      {"dead-letters list", "[--consumer NAME]", "events that a consumer could not take, and why", list},
      {"dead-letters show", "ID", "one, with headers and payload, as JSON", show},
      {"dead-letters replay", "ID...|--consumer NAME --reason TEXT [--rate PER_SECOND]",
       "has them taken up again, 10 a second", replay},
      {"dead-letters delete", "ID...|--consumer NAME --reason TEXT",
       "deletes records of the topic that are no event of an order; events of orders are never deleted",
       remove},
  };
}

}  // namespace orderd::ctl
