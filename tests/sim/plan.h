#pragma once
// What a history is like, drawn from its seed before it begins: who takes part, what the far systems can do,
// and how often what goes wrong.
#include <string>

#include "sim/random.h"

namespace orderd::sim {

/// How often a far system fails, in percent of calls.
struct Weather {
  int lost_request = 0, lost_reply = 0, busy = 0, stored_failure = 0, slow = 0, declined = 0;
  int cut = 0;        // connections that break behind the request: the caller knows nothing, at once
  int slow_wire = 0;  // requests that take up to their deadline to arrive
};

struct Plan {
  int hosts = 2, shards = 1, orders = 4;
  bool stable_ids = true;  // a host that comes back is the same to PostgreSQL
  bool relay = false;      // events go over a bus; else the log itself is read
  int definition = 0;      // of definition_text()
  int later_definition = 0;
  Millis changed_after{0};  // hosts that start later than that have later_definition
  Millis calm_after{0};     // then nothing new goes wrong

  Weather payment, goods;
  bool payment_can_query = true;
  Millis key_window{0};       // the provider's; 0: knows keys for ever
  bool query_closes = false;  // a key that was said to be unknown for good is refused later
  bool void_closes = true;    // an authorization that comes after the void is refused
  int query_lags = 0, pending = 0, reversed = 0, webhooks = 100, vague = 0;

  bool goods_here = true;  // stock in this PostgreSQL (transactional); else a warehouse over the network
  bool goods_can_query = true;
  Millis reservation{0};  // the warehouse lets go after so long; 0: never
  int pieces = 1000;

  int crash = 0, freeze = 0, session = 0;  // per mille of the moments at which it may happen
  int outage = 0;                          // per mille of steps
  int clock_turns = 0;                     // per mille of a host's turns, and of ten steps: the database's
  int cancel = 0;                          // percent of orders
  int dashboard = 0;                       // percent of orders that somebody refunds past the host
  int by_hand = 0;                         // percent of stuck refunds that a person settles past the host
  int other_account = 0;                   // percent of calls and notices that speak of another account
};

Plan draw_plan(Random& random);
std::string describe(const Plan& plan);
inline constexpr int definitions = 5;
/// A saga file. 0 default, 1 reserve first, 2 with a limit on the whole, 3 with a check by a third party,
/// 4 with retries that end early.
std::string definition_text(int number);

}  // namespace orderd::sim
