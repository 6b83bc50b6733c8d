/* "orderd.webhook/1", offered by a plugin: a provider calls, and tells what has become of a payment.
 *
 * 1. The provider posts to /api/webhooks/<instance>. The host limits size and rate, then calls handle()
 *    with the bytes as they came. The plugin verifies the signature over the raw body, and its age against
 *    received_ms, with a secret from its settings. A call that is not the provider's: ORDERD_E_INVALID; it
 *    is answered with 401 and leaves no trace but a count.
 * 2. What it tells becomes zero or more events through the sink. Each has the provider's own event id: a
 *    provider sends again until it is answered, and the host takes each id once.
 * 3. An event finds its order by the first of these that is present: command_key, subject,
 *    provider_reference. With command_key its outcome is that command's own, as a query's FOUND would tell
 *    it: a 3-D Secure that ended, a refund that failed days later (DECLINED). Without it the outcome tells
 *    the payment itself: DONE with its totals of now, and a `code` that says why they changed
 *    (DISPUTE_LOST, REFUNDED_BY_PROVIDER).
 * 4. Webhooks come late, twice and in the wrong order, and some only say "something changed": then the
 *    outcome is ORDERD_UNKNOWN, and the host asks by a query. That is always right, and never a guess.
 * 5. Events and the answer to the provider are kept together: it gets its 2xx after they are safe in the
 *    database. When handle() fails otherwise (ORDERD_E_INTERNAL), nothing is kept, and the provider comes
 *    again.
 * 6. A provider that wants to be answered in words, or a handshake without any event, gets them through
 *    reply().
 */
#ifndef ORDERD_WEBHOOK_H
#define ORDERD_WEBHOOK_H

#include "outcome.h"
#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORDERD_EXT_WEBHOOK "orderd.webhook/1"

/* Valid until handle() returns. */
typedef struct orderd_webhook_request {
  uint32_t struct_size;
  uint32_t header_count;
  orderd_view method;           /* "POST"; "GET" for handshakes */
  orderd_view query;            /* behind the '?', as it came; absent without one */
  const orderd_header *headers; /* in the order they came; one name may come twice */
  orderd_view body;             /* raw */
  int64_t received_ms;          /* Unix milliseconds */
} orderd_webhook_request;

/* Made by the plugin; emit() copies it. At least one of command_key, subject, provider_reference is there. */
typedef struct orderd_webhook_event {
  uint32_t struct_size;
  uint32_t reserved;
  orderd_view event_id;           /* the provider's: the same one has its effect once; 1 to 255 bytes */
  orderd_view type;               /* the provider's word for it, for people: "charge.refunded" */
  orderd_view command_key;        /* orderd_command.key that `outcome` belongs to; or absent */
  orderd_view subject;            /* orderd_command.subject; or absent */
  orderd_view provider_reference; /* as an earlier outcome reported it; or absent */
  const orderd_outcome *outcome;
  int64_t occurred_ms; /* Unix milliseconds, by the provider's clock; 0: not known */
} orderd_webhook_event;

/* Made by the host for one handle() call, and used on its thread. Frozen with the id. */
typedef struct orderd_webhook_sink {
  void *sink_data;
  /* At most 1000 a call. ORDERD_E_INVALID if the event makes no sense: then handle() should fail; its other
   * events are not kept. [engine-thread] */
  orderd_status (*emit)(const struct orderd_webhook_sink *sink, const orderd_webhook_event *event);
  /* The answer to the provider when all went well: 200 to 299, body at most 4 KiB. At most once; without it,
   * 200 and no body. [engine-thread] */
  orderd_status (*reply)(const struct orderd_webhook_sink *sink, int32_t status, orderd_view content_type,
                         orderd_view body);
} orderd_webhook_sink;

typedef struct orderd_webhook_v1 {
  /* Pure computation: no network, no waiting, no log of the body. Between start() and stop(); several threads
   * at once. [engine-thread] */
  orderd_status (*handle)(orderd_plugin *plugin, const orderd_webhook_request *request,
                          const orderd_webhook_sink *sink, orderd_error *error);
} orderd_webhook_v1;

#ifdef __cplusplus
}
#endif
#endif
