/* What came of a command (step.h).
 *
 * 1. Only DONE, DECLINED and RETRY are knowledge. A timeout, a lost connection, an answer that makes no sense
 *    is UNKNOWN, and the host finds out by a query. Never turn it into RETRY.
 * 2. Every outcome of a payment carries the totals as the provider has them now, not as they should be.
 * 3. What makes no sense (an unknown kind, impossible totals, text that is not UTF-8) the host takes as
 *    UNKNOWN; in a transaction, where only DONE, DECLINED and RETRY make sense, as a failure of the whole
 *    call.
 * 4. Longest texts, in bytes: code and next_action_type 64, message and next_action_url 2048,
 *    provider_reference 255; retry_after_ms is at most 30 days, expires_ms before the year 10000, a total
 *    at most 10^18. Only message may have several lines; no text has a NUL, the others no control character.
 */
#ifndef ORDERD_OUTCOME_H
#define ORDERD_OUTCOME_H

#include "money.h"

#ifdef __cplusplus
extern "C" {
#endif

/* orderd_outcome.kind; 0 stays invalid. */
enum {
  ORDERD_DONE = 1,     /* the effect is there */
  ORDERD_DECLINED = 2, /* surely no effect, and asking again will not help; `code` says why */
  ORDERD_RETRY = 3,    /* surely no effect; again after retry_after_ms */
  ORDERD_PENDING = 4,  /* under way, waits for somebody until expires_ms; next_action: where the buyer goes */
  ORDERD_UNKNOWN = 5   /* may or may not have had its effect: the host will query. Never guess. */
};

/* orderd_outcome.query_answer; 0 for what is not a query, and for a query that failed itself. */
enum {
  ORDERD_FOUND = 1,           /* kind, totals and the rest tell that key's own outcome */
  ORDERD_NOT_FOUND_FINAL = 2, /* it never had an effect and never will; kind is ORDERD_DONE */
  ORDERD_NOT_FOUND_YET = 3    /* may still appear: again after retry_after_ms; kind is ORDERD_RETRY */
};

/* orderd_outcome.flags. */
enum {
  ORDERD_OUTCOME_SOFT = 1,       /* DECLINED: another method or attempt of the buyer's might succeed */
  ORDERD_OUTCOME_HAS_TOTALS = 2, /* `totals` is filled: every outcome of a payment */
  ORDERD_OUTCOME_HAS_STATE = 4   /* `state` replaces the blob kept for this subject; else that one stays */
};

/* Made by the plugin; complete() copies it. */
typedef struct orderd_outcome {
  uint32_t struct_size;
  int32_t kind;
  int32_t query_answer;
  uint32_t flags;
  orderd_view code;             /* SCREAMING_SNAKE, [A-Z][A-Z0-9_]*: "INSUFFICIENT_FUNDS" */
  orderd_view message;          /* for people; no secrets */
  int64_t retry_after_ms;       /* a duration */
  int64_t expires_ms;           /* Unix ms: end of PENDING, or of the authorization; 0: none */
  orderd_view next_action_type; /* PENDING: "redirect"; absent when the buyer has nothing to do */
  orderd_view next_action_url;  /* absolute, https (http for tests); no spaces, quotes, control characters */
  orderd_totals totals;
  orderd_view provider_reference; /* the provider's own id, for people and for later commands */
  uint32_t state_version;         /* the plugin's own numbering */
  uint32_t reserved;
  orderd_view state; /* opaque bytes wanted back with the next command for this subject; at most 16 KiB */
  orderd_view details_json; /* a JSON object with the rest; absent or at most 256 KiB, 32 levels */
} orderd_outcome;

#ifdef __cplusplus
}
#endif
#endif
