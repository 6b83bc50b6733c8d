// orderctl verify: the laws, judged on the live system. It only reads.
#include "admin/verify.h"

#include <iostream>

#include "orderctl/given.h"

namespace orderd::ctl {
namespace {

constexpr std::int64_t events_default = 5000;

int run(Context& context, const Words& words) {
  const Given given(words, {"--events"});
  if (!given.words.empty()) throw UsageError("\"" + given.words[0] + "\" is too much here");
  const auto text = given.option("--events");
  const std::int64_t events = text ? number(*text, "--events") : events_default;
  if (events < 1 || events > admin::events_per_shard_max)
    throw UsageError("--events is from 1 to " + std::to_string(admin::events_per_shard_max));
  const auto verified = admin::verify(context.connection(), events);
  store::Report report{{"law", "subject", "what"}, {}, {"law"}};
  for (const auto& one : verified.violations)
    report.rows.push_back({std::to_string(one.law), one.subject, one.what});
  if (context.json() || !report.rows.empty()) context.print(report);
  std::cerr << verified.orders << " orders and " << verified.products << " products were judged, "
            << report.rows.size() << " violations\n";
  for (const std::string& line : verified.left_out) std::cerr << "not judged: " << line << "\n";
  return report.rows.empty() ? 0 : 1;
}

}  // namespace

std::vector<Verb> verify_verbs() {
  return {{"verify", "[--events PER_SHARD]",
           "judges money, stock, events and the read model of what changed lately; 1 if a law is broken",
           run}};
}

}  // namespace orderd::ctl
