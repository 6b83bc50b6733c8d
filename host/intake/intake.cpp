#include "intake/intake.h"

#include <algorithm>

#include "intake/writer.h"

namespace orderd::intake {

namespace {

/// A writer that waits for a lock keeps all that comes behind waiting.
IntakeOptions with_short_locks(IntakeOptions options) {
  options.database.lock_timeout_ms = std::min(options.database.lock_timeout_ms, 500);
  return options;
}

}  // namespace

Intake::Intake(IntakeOptions options, const store::SecretBox& secrets)
    : options_(with_short_locks(std::move(options))), secrets_(secrets), queue_(options_.queue_orders_max) {
  for (unsigned i = 0; i < options_.writers; ++i)
    writers_.emplace_back("intake", [this](const std::stop_token&) { Writer(options_, queue_).run(); });
}

Intake::~Intake() {
  queue_.close();
  for (Worker& writer : writers_) writer.join();
}

void Intake::submit(Placement placement, OnPlaced on_placed) {
  auto order = prepare(std::move(placement), std::move(on_placed), secrets_);
  if (!queue_.push(order)) order->finish(Placed::Kind::overloaded);
}

}  // namespace orderd::intake
