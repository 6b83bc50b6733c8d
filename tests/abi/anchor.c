/* Names every ABI type from one exported symbol: abidiff sees nothing behind `const void *`. */
#include <orderd/catalog.h>
#include <orderd/clock.h>
#include <orderd/http.h>
#include <orderd/inventory.h>
#include <orderd/log.h>
#include <orderd/metrics.h>
#include <orderd/migrations.h>
#include <orderd/payment.h>
#include <orderd/projection.h>
#include <orderd/settings.h>
#include <orderd/signature.h>
#include <orderd/step.h>
#include <orderd/webhook.h>

ORDERD_EXPORT const orderd_descriptor* orderd_plugin_entry_v1(void) { return NULL; }

ORDERD_EXPORT void orderd_abi_types(const orderd_host* host, const orderd_plugin* plugin,
                                    const orderd_log_v1* log, const orderd_settings_v1* settings,
                                    const orderd_completion_v1* completion, const orderd_tx_v1* tx,
                                    const orderd_step_v1* step, const orderd_projection_v1* projection,
                                    const orderd_catalog_v1* catalog,
                                    const orderd_migrations_v1* migrations) {
  (void)host, (void)plugin, (void)log, (void)settings, (void)completion, (void)tx, (void)step,
      (void)projection, (void)catalog, (void)migrations;
}

ORDERD_EXPORT void orderd_abi_service_types(const orderd_webhook_v1* webhook, const orderd_clock_v1* clock,
                                            const orderd_http_v1* http, const orderd_metrics_v1* metrics,
                                            const orderd_signature_v1* signature) {
  (void)webhook, (void)clock, (void)http, (void)metrics, (void)signature;
}
