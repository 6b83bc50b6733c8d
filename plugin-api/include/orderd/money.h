/* Money: integers in the currency's minor unit, never floating point.
 *
 * 1. 19.99 EUR is {1999, "EUR", 2}; 500 JPY is {500, "JPY", 0}; 1.250 BHD is {1250, "BHD", 3}.
 * 2. A payment's totals are what its provider holds, all in the command's currency; 0 <= refunded <= captured
 *    <= authorized. A provider reports them with every outcome, and the host computes the next command from
 *    them.
 *
 * Both structs are frozen: they stand inside others.
 */
#ifndef ORDERD_MONEY_H
#define ORDERD_MONEY_H

#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct orderd_money {
  int64_t amount;    /* minor unit */
  char currency[4];  /* ISO 4217, NUL-terminated; "" when there is no amount */
  uint32_t exponent; /* ISO 4217 minor unit: 0, 2, 3 or 4 */
} orderd_money;

typedef struct orderd_totals {
  int64_t authorized; /* ever authorized */
  int64_t captured;   /* ever captured */
  int64_t refunded;   /* ever refunded */
  int64_t voided;     /* authorized, then let go of */
} orderd_totals;

#ifdef __cplusplus
}
#endif
#endif
