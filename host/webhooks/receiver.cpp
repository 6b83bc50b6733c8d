#include "webhooks/receiver.h"

#include <algorithm>

#include "base/log_summed.h"
#include "model/json.h"
#include "webhooks/events.h"

namespace orderd::webhooks {
namespace {

using plugins::WebhookResult;

constexpr store::Statement keep_call{
    "keep_webhook",
    "insert into webhook_inbox (instance, method, headers, body, received, next_at) "
    "values ($1, $2, $3, $4, $5, now() + $6::int8 * interval '1 millisecond')"};
// Rows that another host reads at this moment are its own.
constexpr store::Statement waiting_calls{
    "waiting_webhooks",
    "select id, method, headers, body, received, attempts, "
    "received < now() - $3::int8 * interval '1 millisecond' from webhook_inbox "
    "where instance = $1 and next_at <= now() order by next_at, id limit $2 for update skip locked"};
constexpr store::Statement call_done{"webhook_done", "delete from webhook_inbox where id = $1"};
constexpr store::Statement call_later{"webhook_later",
                                      "update webhook_inbox set attempts = attempts + 1, "
                                      "next_at = now() + $2::int8 * interval '1 millisecond' where id = $1"};

std::string headers_json(const plugins::WebhookRequest& request) {
  std::string out = "[";
  for (const auto& [name, value] : request.headers) {
    std::string one;
    json::Object(one).add("name", name).add("value", value).end();
    out.append(out.size() > 1 ? "," : "").append(one);
  }
  return out + "]";
}

constexpr int failures_max = 3;  // of a batch that is done one by one: each may be a lock timeout

Millis wait_before(std::int32_t attempts) {
  return std::min(Millis(600'000), Millis(500) * (std::int64_t{1} << std::min(attempts, 12)));
}

}  // namespace

InstanceWorker::InstanceWorker(Options options, plugins::WebhookPort& port, store::Pool& pool)
    : options_(options),
      port_(port),
      pool_(pool),
      queue_(options.calls_queued_max),
      taken_(metrics().counter("orderd_webhook_events_total", "Events of providers that were new",
                               {{"instance", port.instance()}})),
      refused_(metrics().counter("orderd_webhooks_refused_total", "Calls that were not the provider's",
                                 {{"instance", port.instance()}})),
      duplicates_(metrics().counter("orderd_webhook_duplicates_total", "Events that had been taken before",
                                    {{"instance", port.instance()}})),
      waiting_(metrics().gauge("orderd_webhooks_waiting", "Calls that wait for their order",
                               {{"instance", port.instance()}})),
      thread_("webhooks", [this](const std::stop_token& stop) { run(stop); }) {}

InstanceWorker::~InstanceWorker() {
  thread_.request_stop();
  queue_.close();
}

void InstanceWorker::submit(plugins::WebhookRequest request, Done done) {
  Call call{std::move(request), std::move(done)};
  if (!queue_.push(call)) call.done({Answer::Kind::overloaded});
}

void InstanceWorker::run(std::stop_token stop) {
  Time looked{};
  while (!stop.stop_requested()) {
    std::vector<Call> calls = queue_.take(options_.calls_per_batch_max, options_.look_again);
    if (!calls.empty()) take(calls);
    if (now() - looked < options_.look_again || stop.stop_requested()) continue;
    looked = now();
    try {
      look_again();
    } catch (const store::DbError& error) {
      if (!error.connection_lost)
        log_summed(LogLevel::warning, "webhooks", "waiting webhooks cannot be read",
                   {{"error", error.what()}});
    }
  }
  for (Call& call : queue_.take(options_.calls_queued_max, Millis(0))) call.done({Answer::Kind::unavailable});
}

void InstanceWorker::take(std::vector<Call>& calls) {
  std::vector<Translated> batch;
  for (Call& call : calls) batch.push_back({&call, port_.handle(call.request)});
  try {
    keep(batch);
    for (const Translated& one : batch) answer(one, true);
    return;
  } catch (const store::DbError& error) {
    log_summed(LogLevel::warning, "webhooks", "webhooks were not kept", {{"error", error.what()}});
    // Else it is nothing of one of them, and their providers come again.
    if (store::trouble_of(error.sqlstate) != store::Trouble::permanent && !store::is_locked(error.sqlstate)) {
      for (const Translated& one : batch) answer(one, false);
      return;
    }
  }
  int failures = 0;
  for (const Translated& one : batch) {
    bool kept = false;
    try {
      if (failures < failures_max) {
        keep({one});
        kept = true;
      }
    } catch (const store::DbError& error) {
      ++failures;
      log_warning("webhooks", "a webhook was not kept, its provider has to come again",
                  {{"instance", port_.instance()}, {"error", error.what()}});
    }
    answer(one, kept);
  }
}

void InstanceWorker::keep(const std::vector<Translated>& batch) {
  if (std::none_of(batch.begin(), batch.end(), [](const Translated& one) {
        return one.result.kind == WebhookResult::Kind::taken && !one.result.events.empty();
      }))
    return;
  auto connection = pool_.acquire();
  store::UnitOfWork work(*connection);
  KeptEvents all;
  for (const Translated& one : batch) {
    if (one.result.kind != WebhookResult::Kind::taken) continue;
    const KeptEvents kept = keep_events(work, port_.instance(), one.result.events);
    all.taken += kept.taken;
    all.duplicates += kept.duplicates;
    const plugins::WebhookRequest& request = one.call->request;
    if (kept.waits)
      work.send(keep_call, store::Args()
                               .text(port_.instance())
                               .text(request.method)
                               .jsonb(headers_json(request))
                               .bytea(request.body)
                               .timestamptz(request.received)
                               .int8(wait_before(0).count()));
  }
  work.commit();
  taken_.Increment(all.taken);
  duplicates_.Increment(all.duplicates);
}

void InstanceWorker::answer(const Translated& one, bool kept) const {
  const WebhookResult& result = one.result;
  switch (result.kind) {
    case WebhookResult::Kind::taken:
      if (!kept) return one.call->done({Answer::Kind::unavailable});
      return one.call->done({Answer::Kind::taken, result.reply_status, result.reply_type, result.reply_body});
    case WebhookResult::Kind::refused:
      refused_.Increment();
      log_warning("webhooks", "a call was refused: it is not the provider's",
                  {{"instance", port_.instance()}, {"problem", result.problem}});
      return one.call->done({Answer::Kind::refused});
    case WebhookResult::Kind::failed:
      log_error("webhooks", "a plugin cannot read a webhook, its provider has to come again",
                {{"instance", port_.instance()}, {"problem", result.problem}});
      return one.call->done({Answer::Kind::unavailable});
  }
}

/// Calls whose order was not known when they came.
void InstanceWorker::look_again() {
  auto connection = pool_.acquire();
  store::UnitOfWork work(*connection);
  const auto rows = work.run(waiting_calls, store::Args()
                                                .text(port_.instance())
                                                .int8(static_cast<std::int64_t>(options_.calls_per_batch_max))
                                                .int8(options_.kept_max.count()));
  int waiting = 0;
  std::int64_t taken = 0;
  for (int i = 0; i < rows.size(); ++i) {
    const std::int64_t id = rows.integer(i, 0);
    plugins::WebhookRequest request{
        std::string(rows.bytes(i, 1)), {}, {}, std::string(rows.bytes(i, 3)), rows.time(i, 4)};
    json::Document headers;
    if (json::parse(rows.jsonb(i, 2), headers) && headers.IsArray())
      for (const auto& one : headers.GetArray())
        request.headers.emplace_back(json::string(one, "name"), json::string(one, "value"));
    const WebhookResult result = port_.handle(request);
    KeptEvents kept;
    if (result.kind == WebhookResult::Kind::taken)
      kept = keep_events(work, port_.instance(), result.events);
    else
      kept.waits = true;
    const bool over = rows.boolean(i, 6);
    if (kept.waits && over)
      log_error("webhooks", "a provider's webhook found no order for a day and is dropped",
                {{"instance", port_.instance()}, {"problem", result.problem}});
    if (kept.waits && !over) {
      ++waiting;
      const auto attempts = static_cast<std::int32_t>(rows.integer(i, 5)) + 1;
      work.send(call_later, store::Args().int8(id).int8(wait_before(attempts).count()));
    } else {
      work.send(call_done, store::Args().int8(id));
    }
    taken += kept.taken;
  }
  work.commit();
  taken_.Increment(taken);
  waiting_.Set(waiting);
}

void Receiver::start(const std::vector<plugins::WebhookPort*>& ports, store::Pool& pool) {
  std::lock_guard lock(mutex_);
  for (plugins::WebhookPort* port : ports)
    workers_[port->instance()] = std::make_unique<InstanceWorker>(options_, *port, pool);
  started_ = true;
}

void Receiver::stop() {
  std::map<std::string, std::unique_ptr<InstanceWorker>> ending;
  {
    std::lock_guard lock(mutex_);
    started_ = false;
    ending.swap(workers_);
  }
}

bool Receiver::submit(const std::string& instance, plugins::WebhookRequest request, Done done) {
  std::lock_guard lock(mutex_);
  const auto found = workers_.find(instance);
  if (found != workers_.end())
    found->second->submit(std::move(request), std::move(done));
  else if (!started_)
    done({Answer::Kind::unavailable});
  else
    return false;
  return true;
}

}  // namespace orderd::webhooks
