/* What a saga asks of a step (step.h).
 *
 * 1. `key` is the provider's idempotency key. It is made of subject, action, a sequence and the generation,
 *    and is opaque: a resend after a crash or a timeout has the same key and the next `attempt`.
 * 2. `generation` rises, and with it the key changes, only after an outcome that surely had no effect.
 * 3. `state`, `totals` and `provider_reference` come back as the plugin's last outcome for this subject left
 *    them, so that a plugin needs no memory of its own.
 */
#ifndef ORDERD_COMMAND_H
#define ORDERD_COMMAND_H

#include "money.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A value, not a pointer: a late or foreign completion can be refused, and is never dereferenced. Frozen. */
typedef struct orderd_ticket {
  uint64_t slot;
  uint64_t generation; /* never 0 */
} orderd_ticket;

typedef struct orderd_line {
  uint32_t struct_size;
  uint32_t line_id; /* unique in the order; two lines may have the same SKU: sum them */
  orderd_view sku;
  int64_t quantity;
  int64_t unit_price; /* minor unit of the command's currency */
} orderd_line;

/* Valid until execute() or execute_tx() returns. Views may be absent where a command has nothing to say. */
typedef struct orderd_command {
  uint32_t struct_size;
  uint32_t attempt; /* from 1, over all sends of this key */
  orderd_ticket ticket;
  orderd_uuid order_id;
  orderd_view action;       /* "payment.authorize", "inventory.reserve", "fraud.check" */
  orderd_view key;          /* idempotency key, opaque: the same key has its effect at most once */
  orderd_view subject;      /* id of the payment or reservation, the same over all its commands */
  orderd_view query_key;    /* query: the key whose fate is asked for */
  orderd_view query_action; /* query: the action that key was sent with */
  uint32_t generation;      /* part of the key; rises only after an outcome that surely had no effect */
  uint32_t state_version;   /* of `state` */
  orderd_view state;        /* the blob your last outcome for this subject left, byte for byte */
  int64_t deadline_ms;      /* Unix milliseconds */
  orderd_money amount;      /* of this command: to authorize, capture, refund */
  orderd_totals totals;     /* as you last reported them */
  const orderd_line *const *lines;
  uint64_t line_count;
  orderd_view customer_id;
  orderd_view method;             /* payment method: "card" */
  orderd_view provider_reference; /* as you last reported it */
  orderd_view secret_json; /* authorize: {"token":…,"returnUrl":…,"buyer":{…}}; never log, never keep */
  orderd_view details_json; /* a JSON object with the rest: {"metadata":{…}}; members may be added */
  orderd_view traceparent;  /* W3C Trace Context: pass it on */
} orderd_command;

#ifdef __cplusplus
}
#endif
#endif
