#pragma once
// What a history has come past. Over many seeds all of it must be met: a simulator that does not reach a
// fault proves nothing about it.
#include <bitset>

namespace orderd::sim {

#define ORDERD_SIM_HITS(X)                                                                                   \
  X(crash_before_commit)                                                                                     \
  X(crash_after_commit)                                                                                      \
  X(crash_before_call)                                                                                       \
  X(crash_after_call)                                                                                        \
  X(crash_between)                                                                                           \
  X(freeze_before_commit)                                                                                    \
  X(freeze_after_commit)                                                                                     \
  X(freeze_before_call)                                                                                      \
  X(freeze_between)                                                                                          \
  X(session_before_commit)                                                                                   \
  X(session_after_commit) X(takeover) X(stale_owner_refused) X(call_too_late) X(relay_before_publish)        \
      X(relay_after_publish) X(event_twice) X(follower_restart) X(lost_request) X(lost_reply)                \
          X(connection_cut) X(slow) X(late_effect) X(busy) X(stored_failure) X(outage) X(same_key_again)     \
              X(in_progress) X(query_found) X(query_final) X(query_yet) X(query_lost) X(query_closed_key) X( \
                  overdue) X(authorize_done) X(authorize_declined) X(authorize_closed) X(authorize_pending)  \
                  X(pending_done) X(pending_declined) X(pending_expired) X(pending_late) X(pending_voided)   \
                      X(capture_done) X(capture_declined) X(capture_pending) X(capture_reversed)             \
                          X(void_done) X(void_of_nothing) X(void_of_captured) X(void_too_early)              \
                              X(refund_done) X(refund_pending) X(refund_declined) X(refund_reversed)         \
                                  X(webhook) X(webhook_twice) X(webhook_vague) X(webhook_lost)               \
                                      X(webhook_early) X(sweeper_notice) X(out_of_stock) X(reserve_closed)   \
                                          X(reservation_expired) X(extended) X(extend_declined)              \
                                              X(commit_declined) X(check_declined) X(confirmed) X(cancelled) \
                                                  X(rejected) X(free_order) X(cancel_at_once)                \
                                                      X(cancel_midway) X(cancel_confirmed) X(cancel_stuck)   \
                                                          X(late_money) X(late_money_undone) X(stuck)        \
                                                              X(attention) X(verb_retry) X(verb_done)        \
                                                                  X(verb_skip) X(verb_acknowledge)           \
                                                                      X(dashboard_refund) X(key_forgotten)   \
                                                                          X(unknown_outcome) X(breaker_open) \
                                                                              X(other_definition_in_flight)  \
                                                                                  X(total_limit)

enum class Hit {
#define X(name) name,
  ORDERD_SIM_HITS(X)
#undef X
      count
};
inline constexpr std::size_t hits_count = static_cast<std::size_t>(Hit::count);
using Hits = std::bitset<hits_count>;

inline const char* name(Hit hit) {
  static constexpr const char* names[] = {
#define X(name) #name,
      ORDERD_SIM_HITS(X)
#undef X
  };
  return names[static_cast<std::size_t>(hit)];
}

}  // namespace orderd::sim
