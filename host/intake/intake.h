#pragma once
// Group commit for new orders: idempotency key, order, secrets and ORDER_CREATED of many requests in one
// transaction.
//
// 1. Web workers submit valid placements and go on; nobody waits with a thread.
// 2. A writer takes what is waiting (1 to batch_orders_max) and commits it in one round trip, all on one
//    shard of the log.
// 3. A batch that fails is taken apart: replays get the first answer, the rest is written one by one, so
//    that one bad order hurts nobody else.
// 4. If the connection breaks around COMMIT, the same rows are sent again on a new one: their primary keys
//    make PostgreSQL wait for the lost transaction's end and tell whether it was committed. Nothing is
//    guessed.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/queue.h"
#include "base/worker.h"
#include "intake/idempotency.h"
#include "model/order.h"
#include "model/order_json.h"
#include "store/connection.h"
#include "store/secret_box.h"

namespace orderd::intake {

/// A valid order on its way in.
struct Placement {
  OrderDraft draft;
  std::string traceparent;  // W3C Trace Context, or ""
  IdempotencyKey key;       // key.value "": none was given
};

/// What became of a placement.
struct Placed {
  enum class Kind {
    created,      // committed by this request
    replayed,     // committed by an earlier request with this key: `order` is its answer
    key_reused,   // this key was used for another body
    overloaded,   // not written: too much is waiting
    unavailable,  // the database is away; not written, unless `maybe_written`
    failed,       // the database refused this order alone, and will again
    paused,       // not written: an operator paused the intake
  };
  Kind kind = Kind::failed;
  FoldedOrder order;           // created, replayed: at version 1
  bool maybe_written = false;  // COMMIT was sent, and its fate could not be found out in time
  std::string_view cause{};    // unavailable: why, in a few words that stay; "": it cannot be reached
};
/// Called once, on a writer's thread or, when refused at once, on the caller's. Must not wait, must not
/// throw.
using OnPlaced = std::function<void(Placed)>;

struct IntakeOptions {
  store::ConnectionOptions database;
  unsigned writers = 1;
  std::size_t queue_orders_max = 4096;
  std::size_t batch_orders_max = 256;
  std::int16_t shards = 8;                          // rows of log_shard
  std::chrono::milliseconds settle_timeout{5'000};  // to find out what became of a lost COMMIT, or for locks
};

struct PendingOrder;  // writer.h: a placement made ready to be written, and its callback

/// Owned by main; `submit` by any thread. The destructor writes what is waiting, then ends the writers.
class Intake {
 public:
  Intake(IntakeOptions options, const store::SecretBox& secrets);
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  void submit(Placement placement, OnPlaced on_placed);
  std::size_t waiting() const { return queue_.size(); }

 private:
  const IntakeOptions options_;
  const store::SecretBox& secrets_;
  BoundedQueue<std::unique_ptr<PendingOrder>> queue_;
  std::vector<Worker> writers_;
};

}  // namespace orderd::intake
