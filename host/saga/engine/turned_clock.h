#pragma once
// A saga that was written by a clock ahead of ours. Pure.
#include "saga/core/state.h"

namespace orderd::saga {

/// Times that the saga gave itself never wait longer than they were meant to: if its writer's clock shows to
/// have been ahead of `now`, they come back by as much. Times that a provider gave stay.
void bring_back_to(Time now, Saga& saga);

}  // namespace orderd::saga
