/* What every header of the plugin ABI stands on: version, status codes, views, sized structs.
 *
 * 1. The host and a plugin are compiled apart, by different people, years apart. Only C types cross:
 *    fixed-width integers, views, pointers to the structs of these headers. No C++ type, no exception, no
 *    FILE*, no errno.
 * 2. A struct with `struct_size` first may grow at its tail. Its maker writes the size it was compiled with;
 *    its reader asks ORDERD_HAS before it reads a field that came later. Arrays of such structs cross as
 *    arrays of pointers, so that nobody steps by a size of his own.
 * 3. An extension table is frozen: it never grows. A better one gets a new id ("orderd.step/2") beside the
 *    old.
 * 4. No memory changes owner. What an argument points to is valid until the call returns, unless its comment
 *    says longer: copy what you keep. No pointer is NULL unless its comment says so.
 * 5. Each function pointer's comment ends with its threads:
 *      [main-thread]    the host's own, one call at a time for one instance: its life cycle.
 *      [engine-thread]  a worker of the host; calls for one instance may come from several workers at once.
 *      [any-thread]     any thread at any time between init and the end of stop, the plugin's own included.
 */
#ifndef ORDERD_ABI_H
#define ORDERD_ABI_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ORDERD_ABI_MAJOR 1u /* also in the entry function's name: another major is another ABI */
#define ORDERD_ABI_MINOR 0u /* rises with each new extension and each field added at a tail */

#ifdef __cplusplus
#define ORDERD_EXPORT extern "C" __attribute__((visibility("default")))
extern "C" {
#else
#define ORDERD_EXPORT __attribute__((visibility("default")))
#endif

/* True if the struct behind `pointer` is long enough to hold `field`. */
#define ORDERD_HAS(pointer, type, field) \
  ((pointer)->struct_size >= offsetof(type, field) + sizeof(((type *)0)->field))

/* Makes a sized struct empty: every field 0, `struct_size` set. */
#define ORDERD_CLEAR(variable) \
  (memset(&(variable), 0, sizeof(variable)), (variable).struct_size = (uint32_t)sizeof(variable))

/* 0 is success, below 0 is failure. The set only grows: treat one you do not know as ORDERD_E_INTERNAL. */
typedef int32_t orderd_status;
enum {
  ORDERD_OK = 0,
  ORDERD_E_INVALID = -1, /* the caller broke the contract, or a value is wrong: error.message says which */
  ORDERD_E_UNSUPPORTED = -2, /* an action, version or statement this side does not do */
  ORDERD_E_BUSY = -3,        /* a bounded queue is full: later, again */
  ORDERD_E_STALE = -4,       /* ticket or transaction is not open (any more) */
  ORDERD_E_NOT_FOUND = -5,
  ORDERD_E_SQL = -6,     /* the database refused: error.code is its SQLSTATE */
  ORDERD_E_INTERNAL = -7 /* anything else; an exception that reached the plugin's barrier */
};

/* Borrowed bytes or UTF-8 text, not NUL-terminated. data == NULL: absent (for a database value: NULL). */
typedef struct orderd_view {
  const char *data;
  uint64_t size;
} orderd_view;

/* One header of an HTTP message; names in lower case when the host gives it. Frozen: arrays of it cross as
 * they are. */
typedef struct orderd_header {
  orderd_view name;
  orderd_view value;
} orderd_header;

/* RFC 9562, network order. */
typedef struct orderd_uuid {
  uint8_t bytes[16];
} orderd_uuid;

/* Where a failing call says why. The caller allocates and clears it, the callee fills it (NUL-terminated, cut
 * to fit); a caller that does not care passes NULL. */
typedef struct orderd_error {
  uint32_t struct_size;
  char code[28];     /* stable, for programs: a SQLSTATE, or SCREAMING_SNAKE; may be "" */
  char message[480]; /* for people: what, which value, what to do; never a secret */
} orderd_error;

/* A view of a C string; NULL becomes an absent view. */
static inline orderd_view orderd_text(const char *text) {
  orderd_view view;
  view.data = text;
  view.size = text ? strlen(text) : 0;
  return view;
}

/* Whether `view` is exactly `text`. */
static inline int orderd_view_is(orderd_view view, const char *text) {
  return view.size == strlen(text) && (view.size == 0 || memcmp(view.data, text, (size_t)view.size) == 0);
}

#ifdef __cplusplus
}
#endif
#endif
