/* "orderd.settings/1", offered by the host: the settings of this instance.
 *
 * 1. The operator writes `plugin.stripe-eu.settings.region = eu`; the instance "stripe-eu" reads the key
 *    "region". A value is a text here, whatever the schema calls it.
 * 2. A plugin declares what it takes by a JSON Schema (draft 4) in its descriptor: an object of
 *    "properties", each a "string", "integer", "number" or "boolean" (written yes or no), with "enum",
 *    "pattern", "minimum", "maximum", "minLength", "maxLength", "default" and "description"; "required";
 *    and "additionalProperties": false, so that a typo is not silent. The host judges settings by it
 *    before create(), also for --check-config, and its message names key, value and what was expected. A
 *    key that is not set and has a "default" is there with it.
 * 3. A property with "format": "secret" is given by reference, `file:/etc/orderd/stripe.key` or
 *    `env:STRIPE_KEY`, and arrives here resolved (a file without its last line's end). The host masks its
 *    value in whatever the plugin logs.
 * 4. What a schema cannot say (two keys that exclude each other) init() checks. Without a schema it also
 *    enumerates the keys, and fails for one it does not know.
 * 5. Values do not change during an instance's life.
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
