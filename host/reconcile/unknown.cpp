#include "reconcile/unknown.h"

#include "base/utf8.h"

namespace orderd::reconcile {
namespace {

constexpr std::size_t name_bytes_max = 200;

constexpr store::Statement keep{
    "keep_unknown",
    "insert into unknown_payments as k (instance, subject, reference, authorized, captured, refunded, "
    "voided) "
    "select $1, * from unnest($2::text[], $3::text[], $4::int8[], $5::int8[], $6::int8[], $7::int8[]) u(s, "
    "r, a, "
    "c, f, v) where (select count(*) from unknown_payments where instance = $1 and acknowledged is null) < "
    "$8::int8 or exists (select from unknown_payments o where o.instance = $1 and o.subject = u.s and "
    "o.reference = u.r) on conflict (instance, subject, reference) do update set authorized = "
    "excluded.authorized, captured = excluded.captured, refunded = excluded.refunded, voided = "
    "excluded.voided, last_seen = now()"};
constexpr store::Statement forget_known_ones{
    "forget_known_unknown", "delete from unknown_payments where instance = $1 and subject = any($2::text[])"};
constexpr store::Statement forget_old_ones{
    "forget_old_unknown",
    "delete from unknown_payments where acknowledged is not null and last_seen < now() - interval '90 days'"};
constexpr store::Statement count_open{"count_unknown",
                                      "select s.instance, count(u.id) from sweeps s left join "
                                      "unknown_payments u on u.instance = s.instance and "
                                      "u.acknowledged is null group by s.instance"};
constexpr store::Statement list{
    "list_unknown",
    "select id, instance, subject, reference, authorized, captured, refunded, voided, first_seen, last_seen, "
    "acknowledged, coalesce(actor, ''), coalesce(reason, '') from unknown_payments where ($1::text is null "
    "or "
    "instance = $1) and ($2 or acknowledged is null) order by id limit $3::int8"};
constexpr store::Statement set_acknowledged{"acknowledge_unknown",
                                            "update unknown_payments set acknowledged = now(), actor = $2, "
                                            "reason = $3 where id = any($1::int8[]) and "
                                            "acknowledged is null returning id"};
constexpr store::Statement make_due{
    "ask_for_sweep",
    "update sweeps set next_at = now(), since = least(since, coalesce($2, since)) where ($1::text is null or "
    "instance = $1) returning instance"};

/// What a provider said, as the table can hold it.
std::string name_of(const std::string& text) {
  std::string out = text.substr(0, name_bytes_max);
  while (!out.empty() && !is_utf8(out)) out.pop_back();
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  return out;
}

std::vector<std::string> names(const std::vector<Uuid>& ids) {
  std::vector<std::string> out;
  for (const Uuid& id : ids) out.push_back(id.to_string());
  return out;
}

}  // namespace

void keep_unknown(store::UnitOfWork& work, const std::string& instance,
                  const std::vector<const Listed*>& payments) {
  if (payments.empty()) return;
  std::map<std::pair<std::string, std::string>, PaymentTotals> rows;  // a statement touches a row once
  for (const Listed* one : payments) rows[{name_of(one->subject), name_of(one->reference)}] = one->totals;
  std::vector<std::string> subjects, references;
  std::vector<std::int64_t> authorized, captured, refunded, voided;
  for (const auto& [name, totals] : rows) {
    subjects.push_back(name.first);
    references.push_back(name.second);
    authorized.push_back(totals.authorized);
    captured.push_back(totals.captured);
    refunded.push_back(totals.refunded);
    voided.push_back(totals.voided);
  }
  work.send(keep, store::Args()
                      .text(instance)
                      .texts(subjects)
                      .texts(references)
                      .int8s(authorized)
                      .int8s(captured)
                      .int8s(refunded)
                      .int8s(voided)
                      .int8(unknown_kept_max));
}

void forget_known(store::UnitOfWork& work, const std::string& instance, const std::vector<Uuid>& orders) {
  if (!orders.empty()) work.send(forget_known_ones, store::Args().text(instance).texts(names(orders)));
}

void forget_old(store::Connection& connection) { connection.run(forget_old_ones); }

std::map<std::string, std::int64_t> count_unknown(store::Connection& connection) {
  const auto rows = connection.run(count_open);
  std::map<std::string, std::int64_t> out;
  for (int i = 0; i < rows.size(); ++i) out[std::string(rows.bytes(i, 0))] = rows.integer(i, 1);
  return out;
}

std::vector<UnknownPayment> list_unknown(store::Connection& connection,
                                         const std::optional<std::string>& instance, bool all,
                                         std::int64_t limit) {
  store::Args args;
  instance ? args.text(*instance) : args.null();
  const auto rows = connection.run(list, std::move(args.boolean(all).int8(limit)));
  std::vector<UnknownPayment> out;
  for (int i = 0; i < rows.size(); ++i)
    out.push_back({rows.integer(i, 0),
                   std::string(rows.bytes(i, 1)),
                   {std::string(rows.bytes(i, 2)),
                    std::string(rows.bytes(i, 3)),
                    {rows.integer(i, 4), rows.integer(i, 5), rows.integer(i, 6), rows.integer(i, 7)}},
                   rows.time(i, 8),
                   rows.time(i, 9),
                   rows.optional_time(i, 10),
                   std::string(rows.bytes(i, 11)),
                   std::string(rows.bytes(i, 12))});
  return out;
}

std::set<std::int64_t> acknowledge(store::UnitOfWork& work, const std::vector<std::int64_t>& ids,
                                   const std::string& actor, const std::string& reason) {
  const auto rows = work.run(set_acknowledged, store::Args().int8s(ids).text(actor).text(reason));
  std::set<std::int64_t> out;
  for (int i = 0; i < rows.size(); ++i) out.insert(rows.integer(i, 0));
  return out;
}

std::vector<std::string> ask_for_sweep(store::UnitOfWork& work, const std::optional<std::string>& instance,
                                       const std::optional<Time>& since) {
  store::Args args;
  instance ? args.text(*instance) : args.null();
  since ? args.timestamptz(*since) : args.null();
  const auto rows = work.run(make_due, std::move(args));
  std::vector<std::string> out;
  for (int i = 0; i < rows.size(); ++i) out.emplace_back(rows.bytes(i, 0));
  return out;
}

}  // namespace orderd::reconcile
