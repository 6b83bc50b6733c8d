/* "orderd.metrics/1", offered by the host: numbers of the plugin's own on the host's /metrics page.
 *
 * 1. Declare each once, in init() or start(), keep the number it gets, and raise it on the way: a declaration
 *    takes a lock, an update is one atomic addition.
 * 2. "requests_total" of the instance "stripe-eu" is shown as
 *    orderd_plugin_requests_total{instance="stripe-eu"}. All instances of all plugins share the names: begin
 *    yours with your plugin's ("stripe_requests_total"), with the unit last ("stripe_request_ms").
 * 3. Values are whole numbers. No order id, SKU or customer in a name: there are at most 100 per instance.
 */
#ifndef ORDERD_METRICS_H
#define ORDERD_METRICS_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORDERD_EXT_METRICS "orderd.metrics/1"

/* orderd_metric.kind. */
enum {
  ORDERD_METRIC_COUNTER = 1,  /* only rises; the name ends in _total */
  ORDERD_METRIC_GAUGE = 2,    /* goes up and down */
  ORDERD_METRIC_HISTOGRAM = 3 /* counts observations by size */
};

/* Made by the plugin; declare() copies it. */
typedef struct orderd_metric {
  uint32_t struct_size;
  int32_t kind;
  orderd_view name;      /* [a-z][a-z0-9_]*, at most 60 */
  orderd_view help;      /* one sentence */
  const int64_t *bounds; /* histogram: upper bounds of its buckets, rising, at most 20; one more is added */
  uint32_t bound_count;
  uint32_t reserved;
} orderd_metric;

typedef struct orderd_metrics_v1 {
  /* The number of a metric, for the functions below; the same for the same name. ORDERD_E_INVALID: a bad
   * name, or known as another kind; ORDERD_E_BUSY: 100 are declared. [any-thread] */
  orderd_status (*declare)(const orderd_host *host, const orderd_metric *metric, uint32_t *number,
                           orderd_error *error);
  /* Counter: amount >= 0. Gauge: any. Else, or for a number that is none, nothing happens. [any-thread] */
  void (*add)(const orderd_host *host, uint32_t number, int64_t amount);
  /* Gauge. [any-thread] */
  void (*set)(const orderd_host *host, uint32_t number, int64_t value);
  /* Histogram. [any-thread] */
  void (*observe)(const orderd_host *host, uint32_t number, int64_t value);
} orderd_metrics_v1;

#ifdef __cplusplus
}
#endif
#endif
