#pragma once
// A part of `verify`: orders that are open while nothing works on them, and orders that only the read model
// knows.
#include "admin/verify.h"

namespace orderd::admin {

/// Law 1, among the newest orders: an open one has a saga or a dead letter, or is still to be read.
void judge_open_orders(store::Connection& connection, std::int64_t events_per_shard, Verified& out);
/// Law 5 from the other side, among the newest rows of orders_read: none is ahead of the order, or of no
/// order.
void judge_ghosts(store::Connection& connection, std::int64_t events_per_shard, Verified& out);

}  // namespace orderd::admin
