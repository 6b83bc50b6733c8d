/* "orderd.settings/1", offered by the host: the settings of this instance.
 *
 * 1. The operator writes `plugin.stripe-eu.region = eu` ; the instance "stripe-eu" reads the key "region".
 *    Values from secret files arrive here already resolved.
 * 2. init() reads what it needs, enumerates the rest, and fails for a key it does not know: a typo must not
 *    be silent.
 * 3. Values do not change during an instance's life.
 */
#ifndef ORDERD_SETTINGS_H
#define ORDERD_SETTINGS_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORDERD_EXT_SETTINGS "orderd.settings/1"

typedef struct orderd_settings_v1 {
  /* ORDERD_E_NOT_FOUND if the key is not set; `value` is then absent. The view is valid until destroy()
   * returned. [any-thread] */
  orderd_status (*get)(const orderd_host *host, const char *key, orderd_view *value);
  /* How many keys are set. [any-thread] */
  uint32_t (*count)(const orderd_host *host);
  /* The key and value at 0 <= index < count(), sorted by key; ORDERD_E_NOT_FOUND beyond. Valid until
   * destroy() returned. [any-thread] */
  orderd_status (*at)(const orderd_host *host, uint32_t index, orderd_view *key, orderd_view *value);
} orderd_settings_v1;

#ifdef __cplusplus
}
#endif
#endif
