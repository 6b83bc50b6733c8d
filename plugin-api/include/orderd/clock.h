/* "orderd.clock/1", offered by the host: what time it is, and a call later.
 *
 * 1. Deadlines are wall-clock times (Unix milliseconds): compare them with now_ms(). Durations are
 *    measured with monotonic_ms(), which no clock change moves.
 * 2. Instead of a thread that sleeps: call_after(5000, poll_again, data, &timer). The call comes once, on
 *    a thread of the host's, never before its time; calls of one instance come one after another. It must
 *    not wait: hand work to http.h, or to a thread of your own.
 * 3. From init() on timers may be set; none fires before start() returned. When stop() has returned, what
 *    still waits is dropped, and none is running: `data` may go with the instance.
 */
#ifndef ORDERD_CLOCK_H
#define ORDERD_CLOCK_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORDERD_EXT_CLOCK "orderd.clock/1"

/* Runs on a thread of the host's; returns soon. */
typedef void (*orderd_timer_call)(void *data);

typedef struct orderd_clock_v1 {
  /* Wall clock, Unix milliseconds. [any-thread] */
  int64_t (*now_ms)(const orderd_host *host);
  /* Rises steadily from an unknown start. [any-thread] */
  int64_t (*monotonic_ms)(const orderd_host *host);
  /* Calls call(data) once, after delay_ms (0 to 30 days). `timer` (NULL if not wanted) gets its number, never
   * 0. ORDERD_E_BUSY: 10000 wait already; ORDERD_E_STALE: stopped. [any-thread] */
  orderd_status (*call_after)(const orderd_host *host, int64_t delay_ms, orderd_timer_call call, void *data,
                              uint64_t *timer);
  /* OK: it will surely not be called. ORDERD_E_STALE: it was called, is being called at this moment, or never
   * was. Never waits, so it may be used inside the call itself. [any-thread] */
  orderd_status (*cancel)(const orderd_host *host, uint64_t timer);
} orderd_clock_v1;

#ifdef __cplusplus
}
#endif
#endif
