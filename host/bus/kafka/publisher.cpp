#include "bus/kafka/publisher.h"

#include <algorithm>

#include "base/fault.h"
#include "base/log.h"
#include "bus/kafka/cloud_event.h"

namespace orderd::bus::kafka {
namespace {

constexpr std::chrono::milliseconds pause_min{100};
constexpr std::chrono::milliseconds pause_max{5000};
constexpr std::size_t error_text_bytes = 512;
constexpr int send_now_ms = 1;
constexpr std::size_t careful_events = 1000;
constexpr int purge_all = RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT;
constexpr std::chrono::milliseconds purge_max{1000}, purge_step{10};

/// The broker has something against the record itself: sending it again cannot help.
bool refuses_record(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || error == RD_KAFKA_RESP_ERR_INVALID_RECORD ||
         error == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
}

Headers make_headers(const Outgoing& outgoing) {
  const auto attributes = cloud_event_headers(outgoing);
  Headers headers(rd_kafka_headers_new(attributes.size()));
  for (const auto& [name, value] : attributes)
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  return headers;
}

// The outbox position travels with the message as its opaque pointer: nothing to allocate, nothing to leak.
void* to_opaque(std::int64_t position) {
  return reinterpret_cast<void*>(static_cast<std::intptr_t>(position));
}
std::int64_t from_opaque(const void* opaque) { return reinterpret_cast<std::intptr_t>(opaque); }

}  // namespace

KafkaPublisher::KafkaPublisher(Cluster& cluster) : cluster_(cluster) { make_producer(); }

KafkaPublisher::~KafkaPublisher() { drop_producer(); }

void KafkaPublisher::make_producer() {
  Properties own{
      {"enable.idempotence", "true"},
      {"enable.gapless.guarantee", "true"},  // a lost batch stops the producer, later ones do not overtake
      {"acks", "all"},
      {"message.timeout.ms", "0"}};  // see overdue()
  careful_ = careful_left_ > 0;
  if (careful_) own["batch.num.messages"] = "1";
  producer_ = cluster_.connect(Role::producer, own);
  reports_.reset(rd_kafka_queue_get_main(producer_.get()));
}

void KafkaPublisher::drop_producer() {
  if (producer_) rd_kafka_purge(producer_.get(), purge_all);
  reports_.reset();
  producer_.reset();
  in_flight_.clear();
  in_flight_count_ = 0;
}

/// Whether events can be taken now: the topic is there, and the pause after a failure is over.
bool KafkaPublisher::accepting() {
  if (!failure_.empty() || !cluster_.topic_ready() || Steady::now() < resume_at_) return false;
  if (careful_ && careful_left_ == 0) {  // back to batches
    if (in_flight_count_ > 0) return false;
    drop_producer();
  }
  if (producer_) return true;
  try {
    make_producer();
  } catch (const std::exception& error) {  // it was right at start: a PEM file went away since
    cluster_.problems().note_text(error.what());
    resume_at_ = Steady::now() + pause_max;
  }
  return producer_ != nullptr;
}

std::size_t KafkaPublisher::publish(const std::vector<Outgoing>& events) {
  if (!accepting()) return 0;
  std::size_t taken = 0;
  for (const Outgoing& outgoing : events) {
    const Taken result = in_flight_count_ < cluster_.in_flight_max() ? send(outgoing) : Taken::no;
    if (result != Taken::no) ++taken;
    if (result != Taken::yes)
      break;  // after a refusal too: the rest of that order must not overtake its parking
  }
  if (taken > 0) send_now();
  return taken;
}

/// What was handed over together goes out together, one request per partition, without waiting for linger.ms.
/// Were each event sent as it comes, librdkafka (2.0) would poll without pause while the rest of them waits
/// for the first ones' acknowledgement: an idempotent partition sends nothing while five are under way. This
/// waits its whole time, reports are not taken by it.
void KafkaPublisher::send_now() { rd_kafka_flush(producer_.get(), send_now_ms); }

KafkaPublisher::Taken KafkaPublisher::send(const Outgoing& outgoing) {
  const Event& event = outgoing.event;
  const std::string key = event.order_id.to_string();
  Headers headers = make_headers(outgoing);
  auto& line = in_flight_[outgoing.partition];
  line.push_back({++sent_, outgoing.outbox_position, Steady::now()});
  ++in_flight_count_;
  const auto error =
      rd_kafka_producev(producer_.get(), RD_KAFKA_V_TOPIC(cluster_.topic().c_str()),
                        RD_KAFKA_V_PARTITION(outgoing.partition), RD_KAFKA_V_KEY(key.data(), key.size()),
                        RD_KAFKA_V_VALUE(const_cast<char*>(event.payload.data()), event.payload.size()),
                        RD_KAFKA_V_HEADERS(headers.get()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                        RD_KAFKA_V_OPAQUE(to_opaque(sent_)), RD_KAFKA_V_END);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    static_cast<void>(headers.release());  // the message owns them now
    if (careful_left_ > 0) --careful_left_;
    return Taken::yes;
  }
  if (refuses_record(error)) {
    progress_.refused.push_back({outgoing.partition, outgoing.outbox_position, rd_kafka_err2str(error)});
    settle(outgoing.partition, sent_);
    return Taken::refused;
  }
  line.pop_back();
  --in_flight_count_;
  if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) failure_ = rd_kafka_err2str(error);
  return Taken::no;
}

Publisher::Progress KafkaPublisher::poll(std::chrono::milliseconds timeout) {
  const bool has_news = !failure_.empty() || !progress_.refused.empty() || !acknowledged_.empty();
  wait(has_news ? std::chrono::milliseconds(0) : timeout);
  if (failure_.empty() && overdue())
    failure_ = "no acknowledgement within kafka.message.timeout.ms (" +
               std::to_string(cluster_.message_timeout().count()) + ")";
  if (!acknowledged_.empty()) {
    pause_ = std::chrono::milliseconds(0);
    cluster_.problems().clear();
  }
  if (fault::mutation("kafka_fatal_ignored")) failure_.clear();
  if (!failure_.empty()) restart();
  progress_.acknowledged.assign(acknowledged_.begin(), acknowledged_.end());
  acknowledged_.clear();
  cluster_.problems().report();
  return std::exchange(progress_, {});
}

void KafkaPublisher::wait(std::chrono::milliseconds timeout) {
  if (!cluster_.topic_ready()) {
    cluster_.wait_topic_ready(timeout);
    return;
  }
  if (!producer_) return std::this_thread::sleep_for(std::min(timeout, pause_min));
  const auto pause_left = std::chrono::ceil<std::chrono::milliseconds>(resume_at_ - Steady::now());
  if (in_flight_count_ == 0) timeout = std::clamp(pause_left, std::chrono::milliseconds(0), timeout);
  take_events(timeout);
  note_fatal();
}

void KafkaPublisher::note_fatal() {
  char why[error_text_bytes] = "";
  if (rd_kafka_fatal_error(producer_.get(), why, sizeof why) != RD_KAFKA_RESP_ERR_NO_ERROR) failure_ = why;
}

/// All events that are there; waits up to `timeout` for the first.
void KafkaPublisher::take_events(std::chrono::milliseconds timeout) {
  KafkaEvent event(rd_kafka_queue_poll(reports_.get(), static_cast<int>(timeout.count())));
  while (event) {
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_DR) take_reports(event.get());
    event.reset(rd_kafka_queue_poll(reports_.get(), 0));
  }
}

void KafkaPublisher::take_reports(rd_kafka_event_t* event) {
  while (const rd_kafka_message_t* report = rd_kafka_event_message_next(event)) {
    const std::uint64_t number = from_opaque(report->_private);
    if (report->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      settle(report->partition, number);
      continue;
    }
    if (failure_.empty()) failure_ = rd_kafka_err2str(report->err);
    if (!refuses_record(report->err)) continue;
    if (careful_) {  // it was alone in its request: the broker means this one
      if (const auto position = settle(report->partition, number))
        progress_.refused.push_back({report->partition, *position, rd_kafka_err2str(report->err)});
    }
    careful_left_ = careful_events;
  }
}

/// Moves the acknowledged prefix if this message was in the way of it. Its outbox position, if it was in
/// flight.
std::optional<std::int64_t> KafkaPublisher::settle(std::int32_t partition, std::uint64_t number) {
  auto& line = in_flight_[partition];
  const auto found =
      std::lower_bound(line.begin(), line.end(), number,
                       [](const InFlight& one, std::uint64_t wanted) { return one.number < wanted; });
  if (found == line.end() || found->number != number) return std::nullopt;
  found->settled = true;
  const std::int64_t position = found->outbox_position;
  while (!line.empty() && line.front().settled) {
    acknowledged_[partition] = line.front().outbox_position;
    line.pop_front();
    --in_flight_count_;
    if (!line.empty()) line.front().since = Steady::now();
  }
  return position;
}

/// librdkafka's own message.timeout.ms would drop the one message whose time is over, and could still send
/// the next. While a partition's acknowledgements come, its broker is slow and not away: sending all again
/// would make it slower still.
bool KafkaPublisher::overdue() const {
  const auto oldest = Steady::now() - cluster_.message_timeout();
  return std::any_of(in_flight_.begin(), in_flight_.end(), [&](const auto& partition) {
    return !partition.second.empty() && partition.second.front().since < oldest;
  });
}

/// A broker that refuses a record fails the whole request it was in. From then on events go out one a request
/// for a while, so that the cause is separated from its neighbours.
void KafkaPublisher::restart() {
  if (producer_) {  // the last reports: one may name the record that the broker refuses
    note_fatal();
    rd_kafka_purge(producer_.get(), purge_all);
    const auto until = Steady::now() + purge_max;
    while (rd_kafka_outq_len(producer_.get()) > 0 && Steady::now() < until) take_events(purge_step);
  }
  cluster_.problems().note_text("publishing was interrupted: " + failure_ +
                                "; everything not acknowledged is sent again by a new producer" +
                                (careful_left_ > 0 ? " (if records are too large: kafka.batch.size and "
                                                     "kafka.message.max.bytes must not exceed the topic's "
                                                     "max.message.bytes)"
                                                   : ""));
  drop_producer();
  failure_.clear();
  pause_ = std::clamp(pause_ * 2, pause_min, pause_max);
  resume_at_ = Steady::now() + pause_;
  progress_.restart = true;
}

}  // namespace orderd::bus::kafka
