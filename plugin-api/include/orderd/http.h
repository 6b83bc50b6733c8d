/* "orderd.http/1", offered by the host: an HTTP client that never waits.
 *
 * 1. submit() copies the request and returns; one done(data, response) follows, on any thread, perhaps
 *    before submit() returned. So execute() can submit and return, and done() completes the command.
 * 2. The host keeps connections, HTTP/2 where the server has it, TLS 1.2 or later with the system's
 *    certificate store, no redirects, no cookies, no proxy but a configured one. Plain http is for
 *    loopback only, unless the operator allows more.
 * 3. What a failure means is what matters for money. NOT_SENT: not one byte of the request can have
 *    reached the server, so RETRY is true. MAYBE_SENT: it may have had its effect, so the outcome is
 *    UNKNOWN, and a query will tell. A status of any number is an answer, not a failure.
 *    A kept connection that turns out to be closed before a byte of the answer came is made anew, and the
 *    request sent on it once more: give whatever has an effect an idempotency key, the command's own.
 * 4. At its deadline a request ends, as MAYBE_SENT if anything was sent. cancel() ends it sooner.
 * 5. done() comes exactly once for every request accepted, at the latest between the return of stop() and
 *    destroy(): `data` lives until then. It must not wait.
 */
#ifndef ORDERD_HTTP_H
#define ORDERD_HTTP_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORDERD_EXT_HTTP "orderd.http/1"

/* orderd_http_response.failure. */
enum {
  ORDERD_HTTP_ANSWERED = 0,   /* there is a status */
  ORDERD_HTTP_NOT_SENT = 1,   /* name not found, refused, TLS failed, cancelled or overdue in the queue */
  ORDERD_HTTP_MAYBE_SENT = 2, /* time-out, connection lost, answer malformed or too large, cancelled */
  ORDERD_HTTP_MISUSED = 3     /* the request makes no sense (a URL that is none): message says why */
};

/* Made by the host; valid until done() returns. */
typedef struct orderd_http_response {
  uint32_t struct_size;
  int32_t failure;
  int32_t status; /* 100 to 599 */
  uint32_t header_count;
  const orderd_header *headers; /* in the order they came, names in lower case */
  orderd_view body;
  orderd_view message; /* of a failure: for people; no secret */
  int64_t elapsed_ms;  /* since submit() */
} orderd_http_response;

typedef void (*orderd_http_done)(void *data, const orderd_http_response *response);

/* Made by the plugin; submit() copies it. */
typedef struct orderd_http_request {
  uint32_t struct_size;
  uint32_t header_count;
  orderd_view method; /* "POST" */
  orderd_view url;    /* "https://api.example.com/v1/payments?…" */
  const orderd_header *headers;
  orderd_view body;
  int64_t deadline_ms;         /* Unix milliseconds: a command's own, or sooner; 0: 30 s from now */
  uint64_t response_bytes_max; /* a larger body is MAYBE_SENT; 0: 1 MiB; at most 64 MiB */
  orderd_http_done done;
  void *data; /* for done() */
} orderd_http_request;

typedef struct orderd_http_v1 {
  /* OK: done() will come; `request_number` (NULL if not wanted) is for cancel(), never 0. Else it will not:
   * ORDERD_E_BUSY (1000 of this instance wait already), ORDERD_E_INVALID, ORDERD_E_STALE (stopped). From
   * start() on. [any-thread] */
  orderd_status (*submit)(const orderd_host *host, const orderd_http_request *request,
                          uint64_t *request_number, orderd_error *error);
  /* done() comes soon, with a failure or with the answer that was already there. Never waits.
   * ORDERD_E_STALE: done() was called, or is being called. [any-thread] */
  orderd_status (*cancel)(const orderd_host *host, uint64_t request_number);
} orderd_http_v1;

#ifdef __cplusplus
}
#endif
#endif
