/* "orderd.migrations/1", offered by a plugin that has tables in the host's PostgreSQL.
 *
 * 1. Before start() the host takes its migration lock, runs what is new, in order, each in a transaction of
 *    its own, and writes down number and checksum under the plugin's name (its descriptor's, so all instances
 *    share one set).
 * 2. A migration that was applied and then changed, or a number above all that the plugin has, is a reason
 *    not to start: append, never edit.
 * 3. Texts may hold several statements. Name the tables' schema in full; make the schema in the first one.
 */
#ifndef ORDERD_MIGRATIONS_H
#define ORDERD_MIGRATIONS_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORDERD_EXT_MIGRATIONS "orderd.migrations/1"

/* Frozen with the id; static storage. */
typedef struct orderd_migration {
  uint32_t number; /* from 1, by one */
  uint32_t reserved;
  const char *name; /* "stock": for people */
  const char *sql;
} orderd_migration;

typedef struct orderd_migrations_v1 {
  /* All of them, in order of number; the plugin owns the array, valid until destroy(). After init().
   * [main-thread] */
  const orderd_migration *(*list)(orderd_plugin *plugin, uint32_t *count);
} orderd_migrations_v1;

#ifdef __cplusplus
}
#endif
#endif
