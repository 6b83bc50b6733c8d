#include "command_processor.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <utility>

namespace simulated {
namespace {

constexpr int conflicts_max = 8;
constexpr std::int64_t retry_after_ms = 500;
/// How long after its deadline a reply that never comes is kept, for the host to cancel it.
constexpr auto never_kept = std::chrono::seconds(60);

Outcome unavailable(const std::string& why) {
  return Outcome::retry(retry_after_ms, "PROVIDER_UNAVAILABLE", "the simulated bank's ledger: " + why);
}

}  // namespace

CommandProcessor::CommandProcessor(CommandProcessorOptions options, orderd::sdk::Host host)
    : options_(std::move(options)), host_(host), clock_(host) {}

void CommandProcessor::start() {
  ledger();
  timer_.start();
  thread_ = std::thread([this] { run(); });
}

void CommandProcessor::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  timer_.stop();
  ledger_.reset();
}

void CommandProcessor::take(Command command, orderd::sdk::Reply reply) {
  {
    std::unique_lock lock(mutex_);
    if (stopping_ || queue_.size() >= options_.queue_commands_max) {
      lock.unlock();
      reply(unavailable("too many commands wait, or it is stopping"));
      return;
    }
    queue_.push_back({std::move(command), std::move(reply)});
  }
  changed_.notify_one();
}

void CommandProcessor::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    Jobs jobs;
    while (!queue_.empty() && jobs.size() < options_.batch_commands_max) {
      jobs.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    if (jobs.empty()) return;
    const bool stopping = stopping_;
    lock.unlock();
    if (stopping)
      not_begun(jobs, "it is stopping");
    else
      settle_all(jobs);
    lock.lock();
  }
}

void CommandProcessor::settle_all(Jobs& jobs) {
  const auto lists = std::stable_partition(jobs.begin(), jobs.end(), [](const Job& job) {
    return job.command.action != ORDERD_PAYMENT_LIST_SINCE;
  });
  for (auto job = lists; job != jobs.end(); ++job) list(*job);
  jobs.erase(lists, jobs.end());
  if (!jobs.empty()) settle(jobs);
}

void CommandProcessor::list(Job& job) {
  rapidjson::Document asked;
  asked.Parse<rapidjson::kParseIterativeFlag>(job.command.details_json.c_str());
  std::int64_t since_ms = 0;
  std::string cursor;
  if (asked.IsObject() && asked.HasMember("sinceMs") && asked["sinceMs"].IsInt64())
    since_ms = asked["sinceMs"].GetInt64();
  if (asked.IsObject() && asked.HasMember("cursor") && asked["cursor"].IsString())
    cursor = asked["cursor"].GetString();
  try {
    Outcome outcome = Outcome::done();
    outcome.details_json = ledger().list_since(since_ms, cursor);
    job.reply(outcome);
  } catch (const PgSessionError& error) {
    failed(error);
    job.reply(unavailable(error.what()));
  }
}

/// A session that is lost is made anew for the next batch. Said once, until one succeeds.
void CommandProcessor::failed(const PgSessionError& error) {
  if (error.lost) ledger_.reset();
  if (!std::exchange(ailing_, true))
    host_.log(ORDERD_LOG_WARNING, std::string("the simulated bank's ledger: ") + error.what());
}

LedgerStore& CommandProcessor::ledger() {
  if (!ledger_)
    ledger_ = std::make_unique<LedgerStore>(options_.url, options_.schema,
                                            "orderd " + std::string(host_.instance()));
  return *ledger_;
}

/// Decides and saves; what another host changed meanwhile is read and decided again.
void CommandProcessor::settle(Jobs& jobs) {
  bool saving = false;
  try {
    for (int round = 0; round < conflicts_max; ++round) {
      std::vector<const Command*> commands;
      for (const Job& job : jobs) commands.push_back(&job.command);
      saving = false;
      BatchState batch = ledger().load(commands);
      batch.page_url = options_.page_url;
      std::vector<Answer> answers;
      for (const Command* command : commands) answers.push_back(batch.take(*command, clock_.now_ms()));
      saving = true;
      try {
        if (batch.changed()) ledger().save(batch);
      } catch (const PgSessionError& error) {
        if (!LedgerStore::is_conflict(error)) throw;
        continue;
      }
      if (std::exchange(ailing_, false))
        host_.log(ORDERD_LOG_INFO, "the simulated bank's ledger answers again");
      for (std::size_t i = 0; i < jobs.size(); ++i) deliver(jobs[i], std::move(answers[i]));
      return;
    }
    not_begun(jobs, "another host is changing the same payments");
  } catch (const PgSessionError& error) {
    failed(error);
    if (error.lost && saving) return lost(jobs, error.what());
    if (!error.lost && jobs.size() > 1) return settle_one_by_one(jobs);
    not_begun(jobs, error.what());
  }
}

/// A batch that the database refused: whatever is wrong with one of them shall not hurt the others.
void CommandProcessor::settle_one_by_one(Jobs& jobs) {
  for (Job& job : jobs) {
    Jobs one;
    one.push_back(std::move(job));
    settle(one);
  }
}

void CommandProcessor::deliver(Job& job, Answer answer) {
  const auto now = Timer::Clock::now();
  if (answer.never) {
    const auto left =
        std::chrono::milliseconds(std::max<std::int64_t>(job.command.deadline_ms - clock_.now_ms(), 0));
    timer_.add(now + left + never_kept, std::move(job.reply), std::nullopt);
  } else if (answer.delay_ms > 0) {
    timer_.add(now + std::chrono::milliseconds(answer.delay_ms), std::move(job.reply),
               std::move(answer.outcome));
  } else {
    job.reply(answer.outcome);
  }
}

void CommandProcessor::not_begun(Jobs& jobs, const std::string& why) {
  for (Job& job : jobs) job.reply(unavailable(why));
}

void CommandProcessor::lost(Jobs& jobs, const std::string& why) {
  for (Job& job : jobs)
    job.reply(job.command.query_key.empty()
                  ? Outcome::unknown("LEDGER_LOST", "the simulated bank's ledger: " + why)
                  : unavailable(why));
}

}  // namespace simulated
