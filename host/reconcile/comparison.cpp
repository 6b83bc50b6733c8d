#include "reconcile/comparison.h"

#include "model/json.h"
#include "plugin_ports/outcome_check.h"

namespace orderd::reconcile {

std::optional<Page> read_page(std::string_view details_json) {
  json::Document document;
  if (!json::parse(details_json, document) || !document.IsObject()) return std::nullopt;
  const json::Value* payments = json::child(document, "payments");
  if (!payments || !payments->IsArray()) return std::nullopt;
  Page page;
  for (const json::Value& one : payments->GetArray()) {
    if (!one.IsObject()) return std::nullopt;
    Listed listed{std::string(json::string(one, "subject")),
                  std::string(json::string(one, "reference")),
                  {json::integer(one, "authorized"), json::integer(one, "captured"),
                   json::integer(one, "refunded"), json::integer(one, "voided")}};
    if (listed.subject.empty()) return std::nullopt;
    if (!plugins::outcome_problem(notice_of(Difference::behind, listed).outcome, false).empty()) {
      ++page.senseless;
      continue;
    }
    page.payments.push_back(std::move(listed));
  }
  page.cursor = json::string(document, "cursor");
  return page;
}

std::string list_details(Time since, const std::string& cursor) {
  std::string out;
  json::Object object(out);
  object.add("sinceMs", std::int64_t{since.time_since_epoch().count()});
  cursor.empty() ? object.raw("cursor", "null") : object.add("cursor", cursor);
  object.end();
  return out;
}

Difference compare(const saga::Saga& ours, Stage stage, const Listed& theirs) {
  if (stage == Stage::moving) return Difference::none;
  const PaymentTotals known{ours.payment.authorized, ours.payment.captured, ours.payment.refunded,
                            ours.voided};
  if (theirs.totals == known || theirs.totals == ours.books.disputed) return Difference::none;
  const bool more = theirs.totals.authorized > known.authorized || theirs.totals.captured > known.captured ||
                    theirs.totals.refunded > known.refunded || theirs.totals.voided > known.voided;
  if (more) return Difference::behind;
  const bool less = theirs.totals.captured < known.captured || theirs.totals.refunded < known.refunded;
  return stage == Stage::settled && less ? Difference::reversed : Difference::none;
}

saga::Notice notice_of(Difference difference, const Listed& theirs) {
  saga::Notice notice;
  notice.by = "sweeper";
  notice.outcome.kind = difference == Difference::reversed ? OutcomeKind::declined : OutcomeKind::done;
  if (difference == Difference::reversed) notice.outcome.code = "REVERSED";
  notice.outcome.totals = theirs.totals;
  notice.outcome.provider_reference = theirs.reference;
  return notice;
}

}  // namespace orderd::reconcile
