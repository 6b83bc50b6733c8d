/* Payment: a command set on "orderd.step/1". No table of its own; these are the names and what they mean.
 *
 * 1. authorize: hold `amount`. secret_json has the token. DONE with totals, provider_reference and
 *    expires_ms; DECLINED with a code (ORDERD_OUTCOME_SOFT if another card might do); PENDING with a next
 *    action (3-D Secure) or without one (bank transfer).
 * 2. capture: take `amount` of what is authorized.
 * 3. void: let go of all that is authorized and not captured. A void of nothing is DONE.
 * 4. refund: give back `amount` of what is captured. Like 2 and 3 it may be PENDING, and is known by its own
 *    key.
 * 5. query: what became of `query_key` (sent as `query_action`)? FOUND with that command's own outcome, else
 *    NOT_FOUND_FINAL or, while the provider may still be catching up, NOT_FOUND_YET.
 * 6. list_since: reconciliation. details_json of the command is {"sinceMs":…,"cursor":…}, of the outcome
 *    {"payments":[{"subject":…,"reference":…,
 *    "authorized":…,"captured":…,"refunded":…,"voided":…}],"cursor":…}; a cursor of null begins and ends the
 *    list.
 *
 * `key` goes to the provider as its idempotency key. `subject` is the payment's id: the same for all commands
 * of one order's payment. Every outcome carries totals as the provider has them.
 */
#ifndef ORDERD_PAYMENT_H
#define ORDERD_PAYMENT_H

#include "step.h"

#define ORDERD_PAYMENT_AUTHORIZE "payment.authorize"
#define ORDERD_PAYMENT_CAPTURE "payment.capture"
#define ORDERD_PAYMENT_VOID "payment.void"
#define ORDERD_PAYMENT_REFUND "payment.refund"
#define ORDERD_PAYMENT_QUERY "payment.query"
#define ORDERD_PAYMENT_LIST_SINCE "payment.list_since"

/* Codes of DECLINED that shops know. Any other is shown to the buyer as it is, and so is the message: neither
 * may say what only the merchant should know. */
#define ORDERD_CODE_PAYMENT_DECLINED "PAYMENT_DECLINED"
#define ORDERD_CODE_INSUFFICIENT_FUNDS "INSUFFICIENT_FUNDS"
#define ORDERD_CODE_PAYMENT_EXPIRED "PAYMENT_EXPIRED"

#endif
