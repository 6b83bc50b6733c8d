#pragma once
// What a history has come past. Over many seeds all of it must be met: a simulator that does not reach a
// fault proves nothing about it.
#include <bitset>
#include <string>
#include <string_view>

namespace orderd::sim {

// clang-format off
#define ORDERD_SIM_HITS(...) \
  enum class Hit { __VA_ARGS__, count }; \
  inline constexpr std::string_view hit_names = #__VA_ARGS__;

ORDERD_SIM_HITS(
  crash_before_commit, crash_after_commit, crash_before_call, crash_after_call, crash_between,
  freeze_before_commit, freeze_after_commit, freeze_before_call, freeze_between,
  session_before_commit, session_after_commit, locked, takeover, stale_owner_refused, call_too_late,
  relay_before_publish, relay_after_publish, event_twice, event_lost, follower_restart, lost_request,
  lost_reply, connection_cut, slow, late_effect, busy, stored_failure, outage, same_key_again,
  in_progress, query_found, query_final, query_yet, query_lost, query_closed_key, overdue,
  authorize_done, authorize_declined, authorize_closed, authorize_pending, pending_done,
  pending_declined, pending_expired, pending_late, pending_voided, capture_done, capture_declined,
  capture_pending, capture_reversed, void_done, void_of_nothing, void_of_captured, void_too_early,
  refund_done, refund_pending, refund_declined, refund_reversed, webhook, webhook_twice,
  webhook_vague, webhook_lost, webhook_early, sweeper_notice, out_of_stock, reserve_closed,
  reservation_expired, extended, extend_declined, commit_declined, check_declined, confirmed,
  cancelled, rejected, free_order, cancel_at_once, cancel_midway, cancel_confirmed, cancel_stuck,
  late_money, late_money_undone, stuck, attention, verb_retry, verb_done, verb_skip,
  verb_acknowledge, dashboard_refund, key_forgotten, unknown_outcome, breaker_open,
  other_definition_in_flight, total_limit, host_clock_turned, database_clock_turned, in_cash, in_part,
  in_part_at_provider, other_account, contradicted, refund_failed_again, decision_disputed)
#undef ORDERD_SIM_HITS
// clang-format on

inline constexpr std::size_t hits_count = static_cast<std::size_t>(Hit::count);
using Hits = std::bitset<hits_count>;

inline std::string name(Hit hit) {
  std::size_t begin = 0;
  for (int left = static_cast<int>(hit); left > 0; --left) begin = hit_names.find(',', begin) + 2;
  return std::string(hit_names.substr(begin, hit_names.find(',', begin) - begin));
}

}  // namespace orderd::sim
