#include "bus/log_backed/subscription.h"

#include <algorithm>

#include "base/fault.h"
#include "base/log.h"
#include "outbox/log.h"

namespace orderd::bus {
namespace {

constexpr std::chrono::milliseconds database_retry{500};
constexpr std::chrono::seconds say_every{60};

}  // namespace

std::unique_ptr<Subscription> LogBackedBus::subscribe(const std::string& consumer) {
  return std::make_unique<LogBackedSubscription>(bus_.subscribe(consumer), options_, consumer);
}

LogBackedSubscription::LogBackedSubscription(std::unique_ptr<Subscription> bus, LogBackedOptions options,
                                             std::string consumer)
    : bus_(std::move(bus)),
      options_(std::move(options)),
      consumer_(std::move(consumer)),
      from_log_(metrics().counter("orderd_bus_lacking_total",
                                  "Events that the bus lacked, and that were read from order_events")),
      refused_(
          metrics().counter("orderd_bus_refused_total",
                            "Records of the bus that were left out: the log does not have their event")) {}

LogBackedSubscription::~LogBackedSubscription() {
  try {
    if (connection_) save_marks();
  } catch (const store::DbError&) { return; }  // an older mark serves as well
}

void LogBackedSubscription::start(std::int32_t partition, Position after) {
  stop(partition);
  Line line;
  line.after = after;
  // A place in the log is none of the bus: the log is read to its end, and the bus from there on.
  is_in_log(after) ? bus_->start_at_end(partition) : bus_->start(partition, after);
  lines_[partition] = std::move(line);
}

void LogBackedSubscription::start_at_end(std::int32_t partition) {
  stop(partition);
  bus_->start_at_end(partition);
  Line line;
  line.follows = false;
  line.begun = true;
  lines_[partition] = std::move(line);
}

void LogBackedSubscription::stop(std::int32_t partition) {
  bus_->stop(partition);
  lines_.erase(partition);
  const auto is_its = [&](const Record& record) { return record.partition == partition; };
  std::erase_if(queue_, is_its);
  std::erase_if(unjudged_, is_its);
}

store::Connection& LogBackedSubscription::connection() {
  if (!connection_ || !connection_->usable()) {
    connection_.reset();
    connection_ = std::make_unique<store::Connection>(options_.database);
    state_known_ = false;  // of another server, perhaps
  }
  return *connection_;
}

std::vector<Record> LogBackedSubscription::poll(std::size_t max, std::chrono::milliseconds timeout) {
  try {
    auto records = read(max, timeout);
    if (std::exchange(away_, false))
      log_info("bus", "comparing with the log again", {{"consumer", consumer_}});
    return records;
  } catch (const store::DbError& error) {
    if (!std::exchange(away_, true))
      log_warning("bus", "nothing is delivered until the log can be compared with",
                  {{"consumer", consumer_}, {"error", error.what()}});
    connection_.reset();
  }
  // Only waits: what comes now waits, too.
  if (unjudged_.empty()) unjudged_ = bus_->poll(max, std::min(timeout, database_retry));
  return {};
}

std::vector<Record> LogBackedSubscription::read(std::size_t max, std::chrono::milliseconds timeout) {
  std::vector<Record> out;
  begin_lines();
  if (Steady::now() >= look_at_) look();
  if (fill(max, out)) return out;
  if (queue_.empty() && unjudged_.empty()) unjudged_ = bus_->poll(max, timeout);
  if (!unjudged_.empty()) judge(std::exchange(unjudged_, {}));
  while (!queue_.empty() && out.size() < max && take(queue_.front(), out)) queue_.pop_front();
  if (out.empty()) fill(max, out);
  return out;
}

void LogBackedSubscription::begin_lines() {
  const bool any =
      std::any_of(lines_.begin(), lines_.end(), [](const auto& one) { return !one.second.begun; });
  if (!any) return;
  const auto marks = outbox::marks(connection(), consumer_);
  state_ = outbox::log_state(connection(), options_.relay);
  state_known_ = true;
  for (auto& [partition, line] : lines_)
    if (!line.begun) begin(partition, line, marks);
}

void LogBackedSubscription::begin(std::int32_t partition, Line& line,
                                  const std::map<std::int16_t, std::int64_t>& marks) {
  const auto mark = marks.find(static_cast<std::int16_t>(partition));
  line.begun = true;
  if (is_in_log(line.after)) {
    line.delivered = log_position(line.after);
    line.wanted = state_.ends[static_cast<std::int16_t>(partition)];
  } else if (mark != marks.end()) {
    line.delivered = mark->second;
  } else if (line.after == before_first) {
    line.delivered = 0;
  }  // else it was saved before there were marks: the first record says
}

/// What is published and does not come is lost in the bus, or its broker is away: the log has it.
void LogBackedSubscription::look() {
  look_at_ = Steady::now() + options_.check_every;
  if (consumer_.empty() || lines_.empty()) return;
  state_ = outbox::log_state(connection(), options_.relay);
  state_known_ = true;
  for (auto& [partition, line] : lines_) {
    if (!line.follows || line.wanted > line.delivered) continue;
    const std::int64_t published = state_.published[static_cast<std::int16_t>(partition)];
    const bool same =
        line.looked_at == line.delivered && published > std::max(line.delivered, std::int64_t{0});
    line.unchanged = same ? line.unchanged + 1 : 0;
    line.looked_at = line.delivered;
    if (line.unchanged < unchanged_looks_max || fault::mutation("bus_discontinuity_ignored")) continue;
    line.unchanged = 0;
    if (line.delivered == not_known) line.delivered = 0;
    line.wanted = published;
    say_lacking(partition, line);
  }
  save_marks();
}

void LogBackedSubscription::save_marks() {
  if (marks_.empty()) return;
  outbox::mark(connection(), consumer_, marks_);
  marks_.clear();
}

/// What is wanted from the log, first; true if there was any.
bool LogBackedSubscription::fill(std::size_t max, std::vector<Record>& out) {
  std::vector<outbox::From> from;
  for (const auto& [partition, line] : lines_)
    if (line.begun && line.wanted > line.delivered)
      from.push_back({static_cast<std::int16_t>(partition), line.delivered});
  if (from.empty()) return false;
  auto entries = outbox::read(connection(), from, static_cast<int>(max));
  for (auto& entry : entries) {
    Line& line = lines_.at(entry.shard);
    if (entry.pos > line.wanted) continue;
    line.delivered = entry.pos;
    Record record{entry.shard, in_log(entry.pos), std::move(entry.event), ""};
    record.log_pos = entry.pos;
    out.push_back(std::move(record));
    from_log_.Increment();
  }
  // Fewer than were asked for: the log has no more, whatever was wanted.
  if (entries.size() < max)
    for (const outbox::From& one : from) {
      Line& line = lines_.at(one.shard);
      line.delivered = std::max(line.delivered, line.wanted);
    }
  return !out.empty();
}

/// Leaves what the log has in queue_.
void LogBackedSubscription::judge(std::vector<Record> records) {
  unjudged_ = std::move(records);  // kept if the database goes away in here
  const auto is_certain = [&](const Record& one) {
    return one.log_pos > 0 && one.log_epoch == state_.epoch &&
           one.log_pos <= state_.ends[static_cast<std::int16_t>(one.partition)];
  };
  const auto is_doubtful = [&](const Record& one) { return one.poison.empty() && !is_certain(one); };
  if (!state_known_ || std::any_of(unjudged_.begin(), unjudged_.end(), is_doubtful)) {
    state_ = outbox::log_state(connection(), options_.relay);
    state_known_ = true;
  }
  std::vector<Record*> doubtful;
  for (Record& record : unjudged_)
    if (is_doubtful(record)) doubtful.push_back(&record);
  if (!doubtful.empty()) place(doubtful);
  for (Record& record : unjudged_)
    if (!record.poison.empty() || record.log_pos > 0)
      queue_.push_back(std::move(record));
    else
      refuse(record);
  unjudged_.clear();
}

/// Sets where the log has them, or 0.
void LogBackedSubscription::place(std::vector<Record*>& doubtful) {
  if (fault::mutation("bus_unknown_future_taken")) return;
  std::vector<const Event*> events;
  for (const Record* one : doubtful) events.push_back(&one->event);
  const auto places = outbox::places(connection(), events);
  for (std::size_t i = 0; i < doubtful.size(); ++i) doubtful[i]->log_pos = places[i];
}

/// False: something is missing before it.
bool LogBackedSubscription::take(Record& record, std::vector<Record>& out) {
  const auto found = lines_.find(record.partition);
  if (found == lines_.end()) return true;
  Line& line = found->second;
  if (line.follows && record.poison.empty()) {
    // Saved before there were marks: nothing is missing if nothing is missing in the bus.
    if (line.delivered == not_known)
      line.delivered = record.position == line.after + 1 ? record.log_pos - 1 : 0;
    if (record.log_pos > line.delivered + 1 && !fault::mutation("bus_discontinuity_ignored")) {
      line.wanted = record.log_pos - 1;
      say_lacking(record.partition, line);
      return false;
    }
    line.delivered = std::max(line.delivered, record.log_pos);
  }
  if (line.follows && !consumer_.empty()) line.sent.emplace_back(record.position, line.delivered);
  out.push_back(std::move(record));
  return true;
}

void LogBackedSubscription::say_lacking(std::int32_t partition, const Line& line) {
  log_warning(
      "bus",
      "the topic lacks events (retention, a topic made anew, or a broker that lost some): reading them from "
      "order_events",
      {{"consumer", consumer_},
       {"partition", std::to_string(partition)},
       {"behind", std::to_string(line.delivered)},
       {"up_to", std::to_string(line.wanted)}});
}

void LogBackedSubscription::refuse(const Record& record) {
  refused_.Increment();
  if (Steady::now() - refused_said_ < say_every) return;
  refused_said_ = Steady::now();
  log_error("bus",
            "the topic holds events that the log does not have: the database is older than the topic (a "
            "restore, or "
            "a standby that took over). They are left out; orderd_bus_refused_total counts them",
            {{"consumer", consumer_},
             {"partition", std::to_string(record.partition)},
             {"order", record.event.order_id.to_string()},
             {"version", std::to_string(record.event.version)}});
}

std::int64_t LogBackedSubscription::lag() {
  std::int64_t lag = bus_->lag();
  for (const auto& [partition, line] : lines_) lag += std::max<std::int64_t>(0, line.wanted - line.delivered);
  return lag;
}

void LogBackedSubscription::saved(std::int32_t partition, Position position) {
  const auto found = lines_.find(partition);
  if (found == lines_.end()) return;
  const auto shard = static_cast<std::int16_t>(partition);
  auto& sent = found->second.sent;
  if (is_in_log(position)) {
    const std::int64_t pos = log_position(position);
    marks_[shard] = std::max(marks_[shard], pos);
    while (!sent.empty() && sent.front().second <= pos) sent.pop_front();
    return;
  }
  bus_->saved(partition, position);
  const auto at =
      std::find_if(sent.begin(), sent.end(), [&](const auto& one) { return one.first == position; });
  if (at == sent.end()) return;
  if (at->second != not_known) marks_[shard] = std::max(marks_[shard], at->second);
  sent.erase(sent.begin(), at + 1);
}

}  // namespace orderd::bus
