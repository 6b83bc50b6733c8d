/* "orderd.log/1", offered by the host: a line in the host's log, marked with the instance's name.
 *
 * 1. Text is one line of UTF-8 for people. Never a token, a card number or personal data.
 * 2. A level below the configured one costs next to nothing and writes nothing.
 * 3. A level that the host does not know is written as ERROR.
 * 4. Who finds the other side breaking a rule of these headers says so by a level of its own, so that an
 *    operator knows whom to call.
 */
#ifndef ORDERD_LOG_H
#define ORDERD_LOG_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORDERD_EXT_LOG "orderd.log/1"

enum {
  ORDERD_LOG_DEBUG = 0,
  ORDERD_LOG_INFO = 1,
  ORDERD_LOG_WARNING = 2,
  ORDERD_LOG_ERROR = 3,
  ORDERD_LOG_HOST_MISBEHAVING = 4,  /* a plugin saw the host break the contract */
  ORDERD_LOG_PLUGIN_MISBEHAVING = 5 /* the host (or an SDK's barrier) saw the plugin break it */
};

typedef struct orderd_log_v1 {
  /* Copies. `order_id` is the order it is about, or NULL. [any-thread] */
  void (*log)(const orderd_host *host, int32_t level, const orderd_uuid *order_id, orderd_view text);
} orderd_log_v1;

#ifdef __cplusplus
}
#endif
#endif
