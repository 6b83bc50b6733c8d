#include "admin/needed.h"

#include <algorithm>

#include "base/counted.h"
#include "model/status.h"
#include "store/unit_of_work.h"

namespace orderd::admin {
namespace {

constexpr std::int64_t counted_max = 1000;

constexpr store::Statement read_in_flight{
    "needed_in_flight",
    "select i.instance, count(distinct i.order_id) from (select b.instance, null::uuid as order_id from "
    "plugin_builds b union all select p.value, s.order_id from sagas s, "
    "jsonb_each_text(coalesce(s.data -> 'instances', '{}')) p) i "
    "where i.instance <> all($1::text[]) group by 1 order by 1"};
constexpr store::Statement be_quick{"needed_be_quick", "set local statement_timeout = '3s'"};
constexpr store::Statement scan{"needed_scan", "set local enable_seqscan = on"};
constexpr store::Statement count_confirmed{
    "needed_confirmed",
    "select count(*) from (select distinct j.order_id from saga_journal j join order_state s on s.id = "
    "j.order_id where s.status = $2 and $1 in (select p.value from jsonb_each_text(coalesce(j.data -> "
    "'instances', '{}')) p) limit $3) found"};
constexpr const char* sqlstate_timed_out = "57014";

void count_orders(store::Connection& connection, Need& need) {
  try {
    store::UnitOfWork work(connection);
    (void)work.run(be_quick);
    (void)work.run(scan);
    need.confirmed =
        work.run(count_confirmed, std::move(store::Args()
                                                .text(need.instance)
                                                .int2(static_cast<std::int16_t>(Status::confirmed))
                                                .int8(counted_max + 1)))
            .integer(0, 0);
    work.commit();
    need.more = need.confirmed > counted_max;
    need.confirmed = std::min(need.confirmed, counted_max);
  } catch (const store::DbError& error) {
    if (error.sqlstate != sqlstate_timed_out) throw;
    need.more = true;
  }
}

}  // namespace

std::vector<Need> needed_instances(store::Connection& connection, const std::set<std::string>& serving) {
  std::vector<Need> out;
  const std::vector<std::string> names(serving.begin(), serving.end());
  const auto rows = connection.run(read_in_flight, store::Args().texts(names));
  for (int i = 0; i < rows.size(); ++i) {
    Need need{std::string(rows.bytes(i, 0)), rows.integer(i, 1)};
    count_orders(connection, need);
    if (need.in_flight > 0 || need.confirmed > 0 || need.more) out.push_back(std::move(need));
  }
  return out;
}

std::string sentence(const Need& need) {
  std::string confirmed;
  if (need.more && need.confirmed == 0)
    confirmed = "an unknown number of confirmed ones (too many to count in 3 s)";
  else if (need.more)
    confirmed = "more than " + std::to_string(need.confirmed) + " confirmed ones";
  else if (need.confirmed > 0)
    confirmed = std::to_string(need.confirmed) + (need.confirmed == 1 ? " confirmed one" : " confirmed ones");
  const bool one = need.in_flight + need.confirmed == 1 && !need.more;
  return counted(need.in_flight, "order") + " in flight" + (confirmed.empty() ? "" : " and " + confirmed) +
         (one ? " still needs" : " still need") + " plugin instance " + need.instance;
}

}  // namespace orderd::admin
