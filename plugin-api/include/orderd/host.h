/* The host, as one instance of a plugin sees it. Everything it can do for a plugin is an extension: log.h,
 * settings.h, step.h (completion), tx.h, clock.h, http.h, metrics.h, signature.h.
 *
 * 1. create() hands each instance an orderd_host of its own. Keep the pointer: it is valid until destroy()
 *    returned.
 * 2. From init() on, ask get_extension() for the tables you need; a missing one is a reason to fail init()
 *    with a message, never to crash later.
 */
#ifndef ORDERD_HOST_H
#define ORDERD_HOST_H

#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct orderd_host orderd_host;
struct orderd_host {
  uint32_t struct_size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t reserved;
  const char *version;  /* the host's own: "0.1.0" */
  const char *instance; /* this instance's name in the configuration: "stripe-eu" */
  void *host_data;      /* the host's; not for plugins */

  /* The table behind an id such as "orderd.log/1", or NULL if this host has none. The host owns it; valid
   * until destroy() returned. Not before init(). [any-thread] */
  const void *(*get_extension)(const orderd_host *host, const char *id);
};

#ifdef __cplusplus
}
#endif
#endif
