// Reconciliation: a payment that is nowhere in the provider's list is one that nobody misses.
#include <unistd.h>

#include <orderd/payment.h>
#include <orderd/json.hpp>

#include "check.h"

namespace orderd::checker {
namespace {

using sdk::Json;
using testing::CommandSpec;
using testing::Payment;

constexpr int pages_max = 1000;
constexpr std::int64_t patience_ms = 10'000;  // until a payment is in the list

CommandSpec list(const std::string& instance, std::int64_t since_ms, const std::string& cursor, int page) {
  CommandSpec spec = testing::command(ORDERD_PAYMENT_LIST_SINCE, instance, page);
  spec.key = "sweep." + std::to_string(testing::now_ms()) + "." + std::to_string(page);
  spec.currency = "XXX";  // no currency is involved
  spec.amount = 0;
  spec.lines.clear();
  spec.customer_id.clear(), spec.method.clear();
  sdk::JsonWriter details;
  details.add("sinceMs", since_ms);
  spec.details_json = (cursor.empty() ? details.raw("cursor", "null") : details.add("cursor", cursor)).text();
  return spec;
}

using Listed = std::map<std::string, orderd_totals>;

/// "" or what makes no sense in one payment of a page.
std::string read_payment(const Json& one, Listed& listed) {
  const Json *subject = one.find("subject"), *reference = one.find("reference");
  if (!subject || !subject->text() || subject->text()->empty()) return "a payment without a subject";
  const std::string name(*subject->text());
  if (!reference || !reference->text()) return "the payment " + name + " without a reference";
  orderd_totals totals{};
  for (const auto& [field, into] : {std::pair("authorized", &totals.authorized),
                                    {"captured", &totals.captured},
                                    {"refunded", &totals.refunded},
                                    {"voided", &totals.voided}}) {
    const Json* given = one.find(field);
    if (!given || !given->integer())
      return "the payment " + name + ", whose " + field + " is no integer of the minor unit";
    *into = *given->integer();
  }
  listed[name] = totals;
  const std::string problem = testing::totals_problem(totals);
  return problem.empty() ? "" : "the payment " + name + ", whose " + problem;
}

/// The next cursor, "" at the end; fails and ends the check for what makes no sense.
std::string read_page(Case& c, const sdk::Outcome& outcome, Listed& listed) {
  const auto refuse = [&](const std::string& what) {
    c.fail("payment.list_since: " + what);
    throw Enough();
  };
  if (outcome.kind == ORDERD_RETRY || outcome.kind == ORDERD_UNKNOWN)
    c.skip("payment.list_since did not come: " + outcome.code + " " + outcome.message);
  if (outcome.kind != ORDERD_DONE) refuse("it is DONE or RETRY, not " + std::string(kind_name(outcome.kind)));
  const auto page = Json::parse(outcome.details_json);
  const Json* payments = page ? page->find("payments") : nullptr;
  if (!payments || payments->kind() != Json::Kind::array) refuse("details_json has no array \"payments\"");
  for (const auto& [none, one] : payments->members())
    if (const auto problem = read_payment(one, listed); !problem.empty()) refuse("it lists " + problem);
  const Json* cursor = page->find("cursor");
  if (cursor && cursor->kind() == Json::Kind::null) return "";
  if (!cursor || !cursor->text() || cursor->text()->empty())
    refuse("\"cursor\" is a text, or null at the end of the list");
  return std::string(*cursor->text());
}

Listed read_all(Case& c, Begun& begun, std::int64_t since_ms) {
  Listed listed;
  std::string cursor;
  for (int page = 1; page <= pages_max; ++page) {
    const std::string next = read_page(c, begun->run(list("check", since_ms, cursor, page)), listed);
    if (next.empty()) return listed;
    if (next == cursor) {
      c.fail("payment.list_since: the same cursor comes twice, so the list never ends");
      throw Enough();
    }
    cursor = next;
  }
  c.skip("the list has more than " + std::to_string(pages_max) + " pages");
}

void lists(Case& c) {
  Begun begun(c);
  if (!external_step(c, begun.plugin())->supports(begun->abi(), orderd_text(ORDERD_PAYMENT_LIST_SINCE)))
    c.not_asked("it has no list: the host never finds a payment that no order knows of");
  const std::int64_t since_ms = testing::now_ms() - 60'000;  // clocks differ
  Payment one(begun.plugin(),
              "check-list-" + std::to_string(testing::now_ms()) + "-" + std::to_string(getpid()));
  one.method = c.options().method;
  one.complete = [&c](CommandSpec& spec) { c.options().complete(spec); };
  if (one.settle("payment.authorize", 1999).kind != ORDERD_DONE)
    c.skip("give a token that it accepts by --token");
  (void)one.settle("payment.capture", 1500);
  const std::string subject = one.spec("payment.query", 0).subject;
  const std::int64_t until = testing::monotonic_ms() + patience_ms;
  for (;;) {
    const Listed listed = read_all(c, begun, since_ms);
    const auto found = listed.find(subject);
    if (found != listed.end() && std::memcmp(&found->second, &one.totals(), sizeof(orderd_totals)) == 0)
      break;
    if (testing::monotonic_ms() > until)
      return c.fail(found == listed.end()
                        ? "payment.list_since does not list a payment that was authorized since"
                        : "payment.list_since lists other totals than the payment's outcomes have");
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace

std::vector<Check> list_checks() {
  return {{"payment.list_since", "its list has every payment, with its totals, and comes to an end", lists}};
}

}  // namespace orderd::checker
