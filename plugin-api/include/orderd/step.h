/* "orderd.step/1", offered by a plugin, and "orderd.completion/1", offered by the host: a step of a saga.
 *
 * External step (a provider over the network):
 * 1. The host commits its intent, then calls execute(commands). OK accepts all of them; the call must not
 *    wait for the network. BUSY, UNSUPPORTED or INVALID refuses all: surely nothing was begun. Any other
 *    status leaves them UNKNOWN.
 * 2. For each accepted command the plugin calls complete(ticket, outcome) exactly once: inside execute(), or
 *    later, on any thread. A second completion, or one after the deadline, is refused (ORDERD_E_STALE) and
 *    logged.
 * 3. At the deadline the host takes the outcome as UNKNOWN, calls cancel(ticket), and asks again later, with
 *    the same key. The same key must never have its effect twice.
 * 4. After UNKNOWN, or beyond the idempotency window, the host sends a query ("<slot>.query") for the key
 *    first.
 *
 * Transactional step (data in the host's PostgreSQL):
 * 5. The host calls execute_tx(tx, commands) with ALL commands of its transaction, of every action, in one
 *    call: lock once, in one order. Each command is completed inside the call, DONE, DECLINED or RETRY.
 * 6. If the call fails, the host rolls back to where it began, drops the outcomes, and calls again with one
 *    command at a time. COMMIT is the host's: effect and saga are saved together, so a DECLINED or RETRY must
 *    have no effect.
 */
#ifndef ORDERD_STEP_H
#define ORDERD_STEP_H

#include "command.h"
#include "outcome.h"
#include "plugin.h"
#include "tx.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORDERD_EXT_STEP "orderd.step/1"
#define ORDERD_EXT_COMPLETION "orderd.completion/1"

typedef struct orderd_completion_v1 {
  /* Exactly once per accepted command. Copies everything, never calls back into the plugin, never waits.
   * ORDERD_E_STALE: completed, overdue or not yours; ORDERD_E_INVALID: the outcome makes no sense, the host
   * took UNKNOWN. Either way the ticket is closed. [any-thread] */
  orderd_status (*complete)(const orderd_host *host, orderd_ticket ticket, const orderd_outcome *outcome);
} orderd_completion_v1;

/* orderd_step_traits.flags. */
enum {
  ORDERD_STEP_TRANSACTIONAL = 1, /* execute_tx() is there and execute() is NULL; else the other way round */
  ORDERD_STEP_QUERY = 2          /* answers "<slot>.query" */
};

/* Cleared by the host, filled by the plugin. */
typedef struct orderd_step_traits {
  uint32_t struct_size;
  uint32_t flags;
  int64_t idempotency_window_ms; /* how long the provider knows a key again; 0: for ever */
  uint32_t state_version_min;    /* state blobs this build can read: min..max; 0, 0: it keeps none */
  uint32_t state_version_max;
} orderd_step_traits;

typedef struct orderd_step_v1 {
  /* What kind of step this instance is. Once, after init(). [main-thread] */
  void (*describe)(orderd_plugin *plugin, orderd_step_traits *traits);
  /* 1 if it understands the action, else 0. After init(). [any-thread] */
  int32_t (*supports)(orderd_plugin *plugin, orderd_view action);
  /* External only; see 1-4. [engine-thread] */
  orderd_status (*execute)(orderd_plugin *plugin, const orderd_command *const *commands, uint64_t count,
                           orderd_error *error);
  /* Advisory: the host stopped waiting. Complete or forget, as you like; never wait. NULL allowed.
   * [any-thread] */
  void (*cancel)(orderd_plugin *plugin, orderd_ticket ticket);
  /* Transactional only; see 5-6. `tx` and what came from it end with the call. [engine-thread] */
  orderd_status (*execute_tx)(orderd_plugin *plugin, orderd_tx *tx, const orderd_command *const *commands,
                              uint64_t count, orderd_error *error);
} orderd_step_v1;

#ifdef __cplusplus
}
#endif
#endif
