#pragma once
// The event bus as a port: what a consumer needs of it, whether Kafka or the outbox table itself is behind
// it.
//
// 1. The relay (Kafka only) publishes what the outbox holds, in order per order, at least once.
// 2. A consumer (saga, projection) owns partitions by a lease in PostgreSQL, starts each one behind the
//    position it saved there, polls, and saves the new position in the transaction of its effect.
// 3. Live streams tail every partition from its end, without owning anything.
//
// Duplicates are normal and are recognised by the order's version, never by position.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/position.h"
#include "model/event.h"

namespace orderd::bus {

/// The gauge, by consumer, of what it has not dealt with yet; of the relay, what it is to publish.
inline constexpr const char* lag_name = "orderd_lag_events";
inline constexpr const char* lag_help = "Events that the consumer has not dealt with yet";

/// One record as read. `event` is complete unless `poison` says what is wrong with the record.
struct Record {
  std::int32_t partition = 0;  // the order's shard
  Position position = before_first;
  Event event;
  std::string poison;  // "" or why this record cannot be read, for a person; event.order_id is then set if
                       // the key told it
  std::string raw_headers_json{}, raw_value{};  // of poison: what it came with, cut to a bound
  // Where order_events has it, and in which epoch of the log; 0 and none: the record does not say.
  std::int64_t log_pos = 0;
  std::optional<Uuid> log_epoch{};
};

/// One reader. Used by one thread; `poll` is the only call that may wait. Errors of the wire are not thrown:
/// they are logged with what to do, `poll` returns nothing, and reading goes on by itself once the bus is
/// back.
class Subscription {
 public:
  virtual ~Subscription() = default;
  /// Begin to deliver `partition` from the first record behind `after`. Replaces an earlier start of the same
  /// partition.
  virtual void start(std::int32_t partition, Position after) = 0;
  /// Begin at the end: only what is published from now on.
  virtual void start_at_end(std::int32_t partition) = 0;
  /// No record of `partition` is delivered once this returned.
  virtual void stop(std::int32_t partition) = 0;
  /// Up to `max` records of the started partitions, in order within each. Returns at once when there are
  /// some, else within `timeout`, or as soon as somebody called wake().
  virtual std::vector<Record> poll(std::size_t max, std::chrono::milliseconds timeout) = 0;
  /// A poll that waits, or else the next one, returns at once. [any thread]
  virtual void wake() = 0;
  /// How many records of the started partitions are still to be delivered, as far as is known: of Kafka, by
  /// the last fetch.
  virtual std::int64_t lag() { return 0; }
  /// Tells lag tools how far this consumer is, after it was saved. A hint; losing it loses nothing.
  virtual void saved(std::int32_t partition, Position position) = 0;
};

/// Makes readers. Outlives them. [any thread]
class EventBus {
 public:
  virtual ~EventBus() = default;
  /// `consumer` is the name lag tools see ("saga", "projection"); "" for a reader that saves nothing.
  virtual std::unique_ptr<Subscription> subscribe(const std::string& consumer) = 0;
  /// "kafka" or "pglog".
  virtual const char* name() const = 0;
};

/// An event on its way to the bus, with its place in the outbox.
struct Outgoing {
  std::int32_t partition = 0;  // the order's shard
  std::int64_t outbox_position = 0;
  Event event;
  Uuid log_epoch{};  // outbox::Epoch
};

/// The relay's side of a bus that is not the outbox itself. Used by one thread.
class Publisher {
 public:
  virtual ~Publisher() = default;
  /// Takes events in order and returns how many; nothing of the rest was taken. Fewer when `in_flight_max` is
  /// reached or the broker is away (poll, then try again), and behind an event that is refused at once:
  /// whoever parks its order must do that before handing over more of it.
  virtual std::size_t publish(const std::vector<Outgoing>& events) = 0;
  struct Progress {
    /// Per partition that moved: every event handed over up to this outbox position is acknowledged, or was
    /// refused in this or an earlier Progress.
    std::vector<std::pair<std::int32_t, std::int64_t>> acknowledged;
    /// Partitions of which something was lost or may be: the relay reads again from its saved position.
    bool restart = false;
    /// An event the broker refuses for itself (too large, ...): partition, outbox position, reason.
    struct Refused {
      std::int32_t partition;
      std::int64_t outbox_position;
      std::string reason;
    };
    std::vector<Refused> refused;
  };
  /// Delivery reports that came in; waits up to `timeout` for one. After `restart` the publisher holds
  /// nothing in flight any more and has a fresh producer.
  virtual Progress poll(std::chrono::milliseconds timeout) = 0;
};

}  // namespace orderd::bus
