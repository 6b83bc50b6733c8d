/* "orderd.projection/1", offered by a plugin: tables made from the orders' events, in the host's PostgreSQL.
 *
 * 1. Tables come from migrations.h. apply(tx, LIVE, events) writes a batch; the host saves its position in
 *    the same transaction, so the effect happens once.
 * 2. Events of one order come in order of version. One may come twice (its version is not above yours: skip
 *    it), and one may come early (more than one above yours: apply nothing of it and say GAP; the host reads
 *    what is missing and calls again). A verdict per event tells which.
 * 3. If apply() fails, the host rolls back to where it began and calls again with one event at a time; an
 *    event that fails alone parks its order, visibly, and no other.
 * 4. Rebuild: rebuild_begin() makes empty tables beside the live ones; apply(tx, SHADOW, events) fills them
 *    from the first event on, in batches, while LIVE goes on; rebuild_finish() puts them in the live ones'
 *    place, in one transaction in which both stand at the same position. A rebuild_begin() after a crash
 *    starts over.
 */
#ifndef ORDERD_PROJECTION_H
#define ORDERD_PROJECTION_H

#include "plugin.h"
#include "tx.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORDERD_EXT_PROJECTION "orderd.projection/1"

/* Valid until apply() returns. */
typedef struct orderd_event {
  uint32_t struct_size;
  int32_t version; /* of the order: from 1, by one */
  orderd_uuid order_id;
  int64_t at_ms;              /* Unix milliseconds */
  orderd_view type;           /* "ORDER_CREATED" */
  orderd_view status;         /* of the order after this event: "PENDING" */
  orderd_view payment_status; /* "NONE" */
  orderd_view payload_json;   /* the event's data, as on the bus */
} orderd_event;

enum { ORDERD_TARGET_LIVE = 0, ORDERD_TARGET_SHADOW = 1 };
enum { ORDERD_APPLIED = 0, ORDERD_DUPLICATE = 1, ORDERD_GAP = 2 };

typedef struct orderd_projection_v1 {
  /* `verdicts` has `count` entries, all ORDERD_APPLIED at first. [engine-thread] */
  orderd_status (*apply)(orderd_plugin *plugin, orderd_tx *tx, int32_t target,
                         const orderd_event *const *events, uint64_t count, int32_t *verdicts,
                         orderd_error *error);
  /* Drops what an earlier rebuild left, makes empty tables beside the live ones. [engine-thread] */
  orderd_status (*rebuild_begin)(orderd_plugin *plugin, orderd_tx *tx, orderd_error *error);
  /* Puts the tables beside in the live ones' place. Pairs with rebuild_begin(). [engine-thread] */
  orderd_status (*rebuild_finish)(orderd_plugin *plugin, orderd_tx *tx, orderd_error *error);
} orderd_projection_v1;

#ifdef __cplusplus
}
#endif
#endif
