/* The plugin: one exported function, a descriptor, and a life cycle. What it can do is in its extensions.
 *
 * 1. The host maps the library (never unmaps it) and calls orderd_plugin_entry_v1().
 * 2. For each configured instance it calls create(), then init() with the settings readable, then asks for
 *    the extensions it needs. If any instance of any plugin fails so far, the host says so and does not
 *    start.
 * 3. It calls start(); from now on the instance is used, and may have threads of its own.
 * 4. It stops handing out work, waits for what is in flight, then calls stop() and destroy().
 *
 * A plugin is not an instance: one library may serve "stripe-eu" and "stripe-us" at once, with different
 * settings. So there are no globals; everything hangs on the orderd_plugin that create() returned.
 */
#ifndef ORDERD_PLUGIN_H
#define ORDERD_PLUGIN_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct orderd_plugin orderd_plugin;
struct orderd_plugin {
  uint32_t struct_size;
  uint32_t reserved;
  void *plugin_data; /* the plugin's; not for the host */

  /* Once, after create(): reads and checks settings, touches no network. On failure `error` says which
   * setting, which value, what to do; only destroy() follows. [main-thread] */
  orderd_status (*init)(orderd_plugin *plugin, orderd_error *error);
  /* Once, after a successful init(): may open connections and start threads. [main-thread] */
  orderd_status (*start)(orderd_plugin *plugin, orderd_error *error);
  /* Pairs with a successful start(): joins every thread of its own. A command not completed by its return is
   * UNKNOWN to the host, and completing it later is refused. [main-thread] */
  void (*stop)(orderd_plugin *plugin);
  /* Pairs with create(), also when init() or start() failed. [main-thread] */
  void (*destroy)(orderd_plugin *plugin);
  /* The table behind an id such as "orderd.step/1", or NULL if this plugin has none. The plugin owns it;
   * valid until destroy(). Not before init(); always the same answer. [any-thread] */
  const void *(*get_extension)(orderd_plugin *plugin, const char *id);
};

/* In static storage; texts are UTF-8. */
typedef struct orderd_descriptor {
  uint32_t struct_size;
  uint32_t abi_major; /* ORDERD_ABI_MAJOR */
  uint32_t abi_minor; /* ORDERD_ABI_MINOR: of the headers it was compiled with */
  uint32_t reserved;
  const char *name;    /* "stripe": what logs and errors call it */
  const char *version; /* "1.4.2" */
  const char *vendor;  /* "Example GmbH" */
  /* A new instance, or NULL when out of memory. Does not call the host yet. Pairs with destroy().
   * [main-thread] */
  orderd_plugin *(*create)(const orderd_host *host);
  /* A JSON Schema for the settings of one instance, as settings.h says, or NULL: then any key passes. In the
   * descriptor, not an extension, so that settings are judged before there is an instance. */
  const char *settings_schema;
} orderd_descriptor;

/* The only symbol a plugin exports; the number is ORDERD_ABI_MAJOR. The host owns nothing of what it gets.
 * [main-thread] */
ORDERD_EXPORT const orderd_descriptor *orderd_plugin_entry_v1(void);
#define ORDERD_PLUGIN_ENTRY "orderd_plugin_entry_v1"

#ifdef __cplusplus
}
#endif
#endif
