#pragma once
// What one writer thread of the intake does. Everything here belongs to that thread.
#include <memory>
#include <optional>
#include <vector>

#include "base/metrics.h"
#include "intake/intake.h"
#include "model/event.h"

namespace orderd::intake {

/// An order made ready by the thread that submitted it. It is written as it stands here, however often that
/// is tried.
struct PendingOrder {
  Placement placement;
  OnPlaced on_placed;
  Event created;       // version 1
  FoldedOrder answer;  // for the client
  std::string body;    // orders.body
  std::string sealed;  // payment_secrets.sealed, "" if nothing will be charged
  PaymentStatus payment_status = PaymentStatus::none;

  bool has_key() const { return !placement.key.value.empty(); }
  void finish(Placed::Kind kind, bool maybe_written = false, std::string_view cause = {});
};
std::unique_ptr<PendingOrder> prepare(Placement placement, OnPlaced on_placed,
                                      const store::SecretBox& secrets);

class Writer {
 public:
  using Queue = BoundedQueue<std::unique_ptr<PendingOrder>>;
  using Batch = std::vector<std::unique_ptr<PendingOrder>>;
  Writer(const IntakeOptions& options, Queue& queue) : options_(options), queue_(queue) {}

  /// Until the queue is closed and empty.
  void run();

 private:
  /// A batch being written: what is still open, and what the last try left to find out.
  struct Task {
    Batch batch;
    bool maybe_written = false;  // a COMMIT was lost: the rows may be there
    bool look_up_keys = false;
    bool look_up_orders = false;
    bool locked = false;  // taken apart because of somebody's lock
    int tries = 0;
    std::chrono::steady_clock::time_point until{};  // for all tries, of its parts, too
  };
  void write(Batch batch);
  void settle(Task task);
  bool try_once(Task& task);
  void take_apart(Task task);
  void commit(const Batch& batch);
  /// Answers those whose key is in use, and takes them out.
  void answer_replays(Batch& batch);
  void answer_replay(PendingOrder& order, const UsedKey& used);
  /// Answers those that are in the database, and takes them out.
  void answer_committed(Batch& batch);
  void refuse(Batch& batch, Placed::Kind kind, bool maybe_written);
  bool failed(Task& task, const store::DbError& error);
  bool paused();
  /// Answers what was placed before the pause, and refuses the rest.
  void replay_or_refuse(Batch batch);

  bool connect();
  bool connect_within_settle_timeout();
  void purge_when_due(bool idle);

  Metrics::Counter& accepted_ = metrics().counter("orderd_orders_accepted_total", "Orders committed");
  Metrics::Counter& batches_ =
      metrics().counter("orderd_intake_batches_total", "Transactions that committed new orders");
  Metrics::Histogram& took_ = metrics().durations("orderd_order_accepted_seconds",
                                                  "From an order's arrival to the commit of its transaction");
  const IntakeOptions& options_;
  Queue& queue_;
  std::unique_ptr<store::Connection> connection_;
  std::chrono::steady_clock::time_point connect_again_{}, purge_again_{}, look_again_{};
  std::string_view cause_;  // of the last failure
  bool away_ = false;       // the database, and the log says so
  bool paused_ = false;     // as the switch was at the last look
  std::int16_t next_shard_ = 0;
};

}  // namespace orderd::intake
