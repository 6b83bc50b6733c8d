#include "reconcile/sweeper.h"

#include <algorithm>

#include "base/log.h"
#include "reconcile/unknown.h"
#include "saga/storage/inbox.h"

namespace orderd::reconcile {
namespace {

constexpr std::string_view key_prefix = "sweep.";
constexpr std::chrono::seconds look_every{1}, tell_every{10};

constexpr store::Statement know_instance{"know_sweep",
                                         "insert into sweeps (instance) values ($1) on conflict do nothing"};
constexpr store::Statement take_sweep{"take_sweep",
                                      "update sweeps set next_at = now() + $2::int8 * interval '1 second' "
                                      "where instance = $1 and next_at <= now() returning since, now()"};
constexpr store::Statement end_sweep{"end_sweep",
                                     "update sweeps set since = greatest(since, $2) where instance = $1"};
// A live saga wins; of finished ones the last.
constexpr store::Statement read_sides{
    "sweep_sagas",
    "select u.id, s.data, j.data, j.at, o.id is not null from unnest($1::uuid[]) u(id) "
    "left join sagas s on s.order_id = u.id left join order_state o on o.id = u.id "
    "left join lateral (select data, at from saga_journal where order_id = u.id "
    "order by (data ->> 'version')::int4 desc, (data ->> 'seq')::int8 desc, at desc limit 1"
    ") j "
    "on s.order_id is null"};

Metrics::Counter& differences(const std::string& instance, const char* kind) {
  return metrics().counter("orderd_reconcile_differences_total",
                           "Payments that the provider knew otherwise than the order",
                           {{"instance", instance}, {"kind", kind}});
}

}  // namespace

Sweeper::Sweeper(Options options, std::function<std::vector<plugins::StepPort*>()> steps)
    : options_(std::move(options)), steps_(std::move(steps)) {}

bool Sweeper::take(const Completion& completion) {
  if (completion.key.compare(0, key_prefix.size(), key_prefix) != 0) return false;
  {
    std::lock_guard lock(mutex_);
    if (completion.key != asked_) return true;  // of a call that was given up
    answer_ = completion.outcome;
  }
  answered_.notify_all();
  return true;
}

void Sweeper::run(std::stop_token stop) {
  bool away = false;
  std::unique_ptr<store::Connection> connection;
  while (!stop.stop_requested()) {
    try {
      look(connection, stop);
      away = false;
    } catch (const store::DbError& error) {
      if (!std::exchange(away, true))
        log_warning("reconcile", "the sweep waits for PostgreSQL", {{"error", error.what()}});
    }
    std::unique_lock lock(mutex_);
    answered_.wait_for(lock, stop, look_every, [] { return false; });
  }
}

void Sweeper::look(std::unique_ptr<store::Connection>& connection, std::stop_token stop) {
  auto steps = steps_();
  std::erase_if(steps, [](const plugins::StepPort* step) { return !step->supports("payment.list_since"); });
  if (steps.empty()) return;
  if (!connection || !connection->usable())
    connection = std::make_unique<store::Connection>(options_.database);
  for (plugins::StepPort* step : steps)
    if (const auto done = sweep(*connection, *step, stop)) report(step->instance(), *done);
  if (std::chrono::steady_clock::now() - told_ > tell_every) tell_unknown(*connection);
}

/// What waits for a person, whoever swept it.
void Sweeper::tell_unknown(store::Connection& connection) {
  told_ = std::chrono::steady_clock::now();
  for (const auto& [instance, count] : count_unknown(connection))
    metrics()
        .gauge("orderd_reconcile_unknown_payments",
               "Payments of no order of ours that nobody has acknowledged", {{"instance", instance}})
        .Set(static_cast<double>(count));
}

std::optional<Sweeper::Sweep> Sweeper::sweep(store::Connection& connection, plugins::StepPort& step,
                                             std::stop_token stop) {
  connection.run(know_instance, store::Args().text(step.instance()));
  const auto taken =
      connection.run(take_sweep, store::Args().text(step.instance()).int8(options_.interval.count()));
  if (taken.empty()) return std::nullopt;
  const Time since = taken.time(0, 0), begun = taken.time(0, 1);
  Sweep sweep;
  std::string cursor;
  do {
    const std::optional<Page> page = ask(step, since, cursor, stop);
    if (!page) return sweep;
    compare_all(connection, step.instance(), *page, sweep);
    cursor = page->cursor;
  } while (!cursor.empty());
  forget_old(connection);
  connection.run(end_sweep, store::Args().text(step.instance()).timestamptz(begun - options_.overlap));
  sweep.whole = true;
  return sweep;
}

/// nullopt: no answer, or none that makes sense; the next sweep asks again.
std::optional<Page> Sweeper::ask(plugins::StepPort& step, Time since, const std::string& cursor,
                                 std::stop_token stop) {
  Command command;
  command.subject = step.instance();
  command.key = std::string(key_prefix) + Uuid::v7().to_string();
  command.action = "payment.list_since";
  command.deadline = now() + options_.call_limit;
  command.currency = "XXX";  // ISO 4217: no currency is involved
  command.details_json = list_details(since, cursor);
  std::unique_lock lock(mutex_);
  asked_ = command.key;
  answer_.reset();
  lock.unlock();
  step.execute({std::move(command)});
  lock.lock();
  answered_.wait_for(lock, stop, options_.call_limit + std::chrono::seconds(5),
                     [&] { return answer_.has_value(); });
  asked_.clear();
  if (!answer_ || answer_->kind != OutcomeKind::done) {
    if (!stop.stop_requested())
      log_warning("reconcile", "a provider's list did not come",
                  {{"instance", step.instance()}, {"code", answer_ ? answer_->code : "TIMEOUT"}});
    return std::nullopt;
  }
  std::optional<Page> page = read_page(answer_->details_json);
  if (!page) log_warning("reconcile", "a provider's list makes no sense", {{"instance", step.instance()}});
  if (page && page->senseless > 0)
    log_warning("reconcile", "payments of a provider's list make no sense and are left out",
                {{"instance", step.instance()}, {"payments", std::to_string(page->senseless)}});
  if (page && !page->cursor.empty() && page->cursor == cursor) page->cursor.clear();  // or it would never end
  return page;
}

void Sweeper::compare_all(store::Connection& connection, const std::string& instance, const Page& page,
                          Sweep& sweep) {
  std::map<Uuid, const Listed*> listed;
  std::vector<const Listed*> unknown;
  for (const Listed& one : page.payments) {
    ++sweep.compared;
    if (const auto id = Uuid::parse(one.subject))
      listed[*id] = &one;
    else
      unknown.push_back(&one);
  }
  std::vector<Uuid> ids;
  for (const auto& [id, one] : listed) ids.push_back(id);
  store::UnitOfWork work(connection);
  const auto rows = work.run(read_sides, store::Args().uuids(ids));
  std::vector<saga::InboxRow> notices;
  std::vector<Uuid> known;
  const Time moment = now();
  for (int i = 0; i < rows.size(); ++i) {
    const bool live = !rows.is_null(i, 1);
    if (rows.boolean(i, 4)) known.push_back(rows.uuid(i, 0));
    if (!live && rows.is_null(i, 2)) {
      // An order that has just been placed has no saga yet; one that is not there at all is not ours.
      if (!rows.boolean(i, 4)) unknown.push_back(listed.at(rows.uuid(i, 0)));
      continue;
    }
    const auto ours = saga::from_json(rows.jsonb(i, live ? 1 : 2));
    if (!ours) continue;  // the saga's own stages report what is damaged
    Stage stage = Stage::moving;
    if (live && ours->updated < moment - options_.still_after) stage = Stage::waiting;
    if (!live && rows.time(i, 3) < moment - options_.still_after) stage = Stage::waiting;
    if (!live && rows.time(i, 3) < moment - options_.settled_after) stage = Stage::settled;
    const Listed& theirs = *listed.at(rows.uuid(i, 0));
    const Difference difference = compare(*ours, stage, theirs);
    if (difference == Difference::none) continue;
    ++(difference == Difference::behind ? sweep.behind : sweep.reversed);
    notices.push_back({rows.uuid(i, 0), notice_of(difference, theirs)});
  }
  sweep.unknown += static_cast<int>(unknown.size());
  keep_unknown(work, instance, unknown);
  forget_known(work, instance, known);
  if (!notices.empty()) saga::put(work, notices);
  work.commit();
}

void Sweeper::report(const std::string& instance, const Sweep& sweep) {
  differences(instance, "behind").Increment(static_cast<double>(sweep.behind));
  differences(instance, "reversed").Increment(static_cast<double>(sweep.reversed));
  if (sweep.whole)
    metrics()
        .gauge("orderd_reconcile_last_timestamp_seconds", "When a sweep last came to its end",
               {{"instance", instance}})
        .Set(static_cast<double>(
            std::chrono::duration_cast<std::chrono::seconds>(now().time_since_epoch()).count()));
  if (sweep.behind + sweep.reversed + sweep.unknown > 0)
    log_warning("reconcile", "the provider's list differs from the orders",
                {{"instance", instance},
                 {"compared", std::to_string(sweep.compared)},
                 {"behind", std::to_string(sweep.behind)},
                 {"reversed", std::to_string(sweep.reversed)},
                 {"unknown", std::to_string(sweep.unknown)}});
}

}  // namespace orderd::reconcile
