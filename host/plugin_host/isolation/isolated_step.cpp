#include "base/fault.h"
#include "plugin_host/isolation/isolated_build.h"
#include "plugin_ports/error.h"
#include "plugin_ports/outcome_check.h"

namespace orderd::plugins::isolation {
namespace {

constexpr std::size_t batch_commands_max = 64;
constexpr Millis idle_wait{500}, answer_limit{5'000};
/// The process itself ends what is overdue; only one that does not is waited for no longer.
constexpr Millis beyond_deadline{1'000};

}  // namespace

IsolatedStep::IsolatedStep(const std::string& instance, const std::string& digest, const Options& options)
    : instance_(instance), digest_(digest), options_(options), queue_(options.commands_queued_max) {}

IsolatedStep::~IsolatedStep() { end(); }

bool IsolatedStep::supports(std::string_view action) const {
  std::unique_lock lock(mutex_);
  const auto known = known_.find(action);
  if (known != known_.end() && known->second >= 0) return known->second == 1;
  const std::string name(action), question = Out().text(name).frame(Frame::supports);
  if (!begun_) {
    try {
      const Received answer = process_->ask(question, Frame::supports_answer);
      In in(answer.fields);
      (void)in.text();
      return (known_[name] = in.u8()) == 1;
    } catch (const PluginError&) { return false; }  // its start() failed, and there is no other process yet
  }
  if (!up_) return false;
  known_[name] = -1;
  lock.unlock();
  (void)process_->send(question);
  lock.lock();
  changed_.wait_for(lock, answer_limit, [&] { return known_[name] >= 0 || !up_; });
  return known_[name] == 1;
}

std::string IsolatedStep::supported(In in) {
  const std::string action = in.text();
  const int answer = in.u8();
  if (!in.at_end() || answer > 1) return "an answer to what it supports";
  std::lock_guard lock(mutex_);
  const auto asked = known_.find(action);
  if (asked == known_.end()) return "it answers what it was not asked";
  asked->second = answer;
  changed_.notify_all();
  return "";
}

std::vector<Outcome> IsolatedStep::execute_in(TxPort&, const std::vector<Command>&) {
  throw std::logic_error("execute_in() on an external step: " + instance_);
}

void IsolatedStep::start(CompletionSink sink) {
  {
    std::lock_guard lock(mutex_);
    begun_ = true;
  }
  sink_ = std::move(sink);
  sender_ = std::thread([this] { hand_over(); });
  watcher_ = std::jthread([this](std::stop_token stop) { watch_deadlines(stop); });
}

void IsolatedStep::execute(std::vector<Command> commands) {
  std::vector<Waiting> waiting;
  waiting.reserve(commands.size());
  for (Command& command : commands) waiting.push_back({std::move(command)});
  bool open = false;
  {
    std::lock_guard lock(mutex_);  // down() must not come in between: it ends what is open
    open = up_ && !stopping_;
    if (open) calls_.open_all(waiting, [](const Waiting& one) { return OpenCall::of(one.command); });
  }
  if (open && queue_.size() == 0 && waiting.size() <= batch_commands_max && send_at_once(waiting)) return;
  for (std::size_t i = open ? queue_.push_all(waiting) : 0; i < waiting.size(); ++i)
    if (!open || close(waiting[i].ticket))
      report(waiting[i].command.order_id, waiting[i].command.key,
             not_begun("BUSY", "the process of plugin instance " + instance_ +
                                   " is being made again, has too much waiting, or is stopping"));
}

/// Without the sender's thread, if nobody has to wait for that.
bool IsolatedStep::send_at_once(std::vector<Waiting>& batch) {
  const std::string frame = frame_of(batch);
  if (batch.empty() || process_->send_at_once(frame)) return true;
  calls_.take_back(batch);
  return false;
}

void IsolatedStep::hand_over() {
  while (!queue_.closed()) {
    std::vector<Waiting> batch = queue_.take(batch_commands_max, idle_wait);
    if (batch.empty()) continue;
    const std::string frame = frame_of(batch);
    if (!batch.empty()) (void)process_->send(frame);  // a process that is gone: down() reports
  }
}

/// What died with a process is reported, and what is overdue will be: neither goes to the process.
std::string IsolatedStep::frame_of(std::vector<Waiting>& batch) {
  calls_.begin_all(batch, now());
  Out out;
  out.u32(static_cast<std::uint32_t>(batch.size()));
  for (const Waiting& one : batch) write_command(out, one.command);
  return out.frame(Frame::execute);
}

/// True: what came of it is the caller's to report.
bool IsolatedStep::close(orderd_ticket ticket) {
  const bool was_open = calls_.close(ticket).has_value();
  std::lock_guard lock(mutex_);
  changed_.notify_all();
  return was_open;
}

/// What of it makes no sense is not taken, and its commands end as UNKNOWN with the process.
std::string IsolatedStep::answered(In in) {
  std::vector<Answered> all;
  for (std::size_t left = in.count(16); left > 0 && in.ok(); --left) all.push_back(read<Answered>(in));
  if (!in.at_end()) return "its answers are cut off";
  for (Answered& one : all) {
    const auto open = calls_.find(one.key, one.order_id);
    if (!open) continue;  // overdue
    const std::string problem = outcome_problem(one.outcome, open->second.query);
    if (!problem.empty() && !fault::mutation("isolated_outcome_believed")) return "an outcome: " + problem;
    if (close(open->first)) report(one.order_id, one.key, std::move(one.outcome));
  }
  return "";
}

void IsolatedStep::report(const Uuid& order_id, const std::string& key, Outcome given) {
  sink_({order_id, key, std::move(given), digest_});
}

void IsolatedStep::up() {
  std::lock_guard lock(mutex_);
  up_ = true;
}

void IsolatedStep::down(const std::string& why) {
  std::vector<std::pair<orderd_ticket, OpenCall>> lost;
  {
    std::lock_guard lock(mutex_);
    up_ = false;
    lost = calls_.close_all();
    changed_.notify_all();
  }
  for (const auto& [ticket, call] : lost)
    report(call.order_id, call.key,
           call.begun ? unknown_outcome("PLUGIN_DIED", "the plugin's process ended: " + why)
                      : not_begun("NOT_BEGUN", "the plugin's process ended before it had this"));
}

void IsolatedStep::watch_deadlines(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] { changed_.notify_all(); });
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, idle_wait, [&] { return stop.stop_requested(); });
    }
    for (const auto& [ticket, call] : calls_.close_overdue(now() - beyond_deadline))
      report(call.order_id, call.key,
             call.begun ? unknown_outcome("TIMEOUT", "the plugin did not answer in time")
                        : not_begun("NOT_BEGUN", "the command waited until its deadline"));
  }
}

void IsolatedStep::drain() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.wait_for(lock, options_.stop_limit, [&] { return calls_.size() == 0; });
}

void IsolatedStep::end() {
  queue_.close();
  if (sender_.joinable()) sender_.join();
  watcher_ = {};
  if (sink_) down("the host is stopping");
}

}  // namespace orderd::plugins::isolation
