/* "orderd.tx/1", offered by the host: the host lends its open PostgreSQL transaction.
 *
 * 1. execute_tx(), apply() and others get an orderd_tx. It is open inside that call and on that thread only:
 *    used later or elsewhere it answers ORDERD_E_STALE. Nothing else of the connection is visible.
 * 2. exec() runs one statement with parameters ($1 …), prepared once per connection and text: keep texts
 *    constant, and bind sets as arrays (`from unnest($1::uuid[], $2::int8[])`), one statement for all
 *    commands.
 * 3. The first statement that fails dooms the call: return the status. The host rolls back to where the call
 *    began.
 * 4. The transaction is the host's: COMMIT, ROLLBACK, SAVEPOINT, SET, LISTEN, COPY and the like are refused
 *    (ORDERD_E_UNSUPPORTED) before they reach the server. Only SELECT, INSERT, UPDATE, DELETE, MERGE, WITH,
 *    VALUES, LOCK and definitions of own tables (CREATE, ALTER, DROP, TRUNCATE, COMMENT, ANALYZE) pass.
 * 5. Binary values are PostgreSQL's send/receive format (int8: 8 bytes, network order; text: UTF-8; uuid: 16
 *    bytes).
 *
 * All structs of this header are frozen with the id.
 */
#ifndef ORDERD_TX_H
#define ORDERD_TX_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORDERD_EXT_TX "orderd.tx/1"

typedef struct orderd_tx orderd_tx;
typedef struct orderd_result orderd_result;

enum { ORDERD_FORMAT_TEXT = 0, ORDERD_FORMAT_BINARY = 1 };

/* Type oids that never change, from pg_type.dat; 0 lets the server infer. */
enum {
  ORDERD_PG_BOOL = 16,
  ORDERD_PG_BYTEA = 17,
  ORDERD_PG_INT8 = 20,
  ORDERD_PG_INT2 = 21,
  ORDERD_PG_INT4 = 23,
  ORDERD_PG_TEXT = 25,
  ORDERD_PG_BYTEA_ARRAY = 1001,
  ORDERD_PG_INT2_ARRAY = 1005,
  ORDERD_PG_INT4_ARRAY = 1007,
  ORDERD_PG_TEXT_ARRAY = 1009,
  ORDERD_PG_INT8_ARRAY = 1016,
  ORDERD_PG_TIMESTAMPTZ = 1184,
  ORDERD_PG_TIMESTAMPTZ_ARRAY = 1185,
  ORDERD_PG_UUID = 2950,
  ORDERD_PG_UUID_ARRAY = 2951,
  ORDERD_PG_JSONB = 3802
};

typedef struct orderd_param {
  uint32_t type;     /* oid, or 0 */
  int32_t format;    /* ORDERD_FORMAT_* */
  orderd_view value; /* absent: NULL. A text need not be NUL-terminated, and may not contain NUL */
} orderd_param;

typedef struct orderd_tx_v1 {
  /* Runs `sql` (NUL-terminated). `result` (NULL if not wanted) belongs to the host and is valid until the
   * lending call returns. ORDERD_E_SQL: error->code is the SQLSTATE. [engine-thread] */
  orderd_status (*exec)(orderd_tx *tx, const char *sql, const orderd_param *params, uint32_t param_count,
                        int32_t result_format, const orderd_result **result, orderd_error *error);
  /* Rows returned. [engine-thread] */
  uint64_t (*rows)(const orderd_result *result);
  /* Columns returned. [engine-thread] */
  uint32_t (*columns)(const orderd_result *result);
  /* Rows an INSERT, UPDATE, DELETE or MERGE changed. [engine-thread] */
  uint64_t (*affected)(const orderd_result *result);
  /* One value, in the format asked for; absent if NULL or out of range. Valid as long as the result.
   * [engine-thread] */
  orderd_view (*value)(const orderd_result *result, uint64_t row, uint32_t column);
  /* Type oid of a column; 0 out of range. [engine-thread] */
  uint32_t (*column_type)(const orderd_result *result, uint32_t column);
} orderd_tx_v1;

#ifdef __cplusplus
}
#endif
#endif
