/* Inventory: a command set on "orderd.step/1". No table of its own; these are the names and what they mean.
 *
 * `subject` is the reservation's id, one for an order; `lines` say what. Lines with the same SKU are summed.
 * All or nothing: a command takes effect for all its lines or for none.
 *
 * 1. reserve: take the lines from what is available. DONE, with expires_ms if the backend lets go by itself
 *    then; DECLINED with OUT_OF_STOCK or UNKNOWN_SKU; DECLINED with RESERVATION_CLOSED after a release of the
 *    same subject, even one that came first.
 * 2. extend: make the reservation non-expiring, before money is taken. DECLINED with RESERVATION_EXPIRED if
 *    it is gone.
 * 3. commit: what was reserved is sold. DONE again if it was committed before.
 * 4. release: give back what is reserved, or what was sold. DONE also if there is nothing: and a reserve that
 *    comes later is then refused.
 * 5. query: as in payment.h; only external backends need it.
 * 6. availability: details_json of the outcome is {"available":{"<sku>":<number>,…}} for the command's lines.
 *
 * All of them are idempotent by subject. For every SKU: on hand + reserved + sold = sum of its movements,
 * none negative.
 */
#ifndef ORDERD_INVENTORY_H
#define ORDERD_INVENTORY_H

#include "step.h"

#define ORDERD_INVENTORY_RESERVE "inventory.reserve"
#define ORDERD_INVENTORY_EXTEND "inventory.extend"
#define ORDERD_INVENTORY_COMMIT "inventory.commit"
#define ORDERD_INVENTORY_RELEASE "inventory.release"
#define ORDERD_INVENTORY_QUERY "inventory.query"
#define ORDERD_INVENTORY_AVAILABILITY "inventory.availability"

#define ORDERD_CODE_OUT_OF_STOCK "OUT_OF_STOCK"
#define ORDERD_CODE_UNKNOWN_SKU "UNKNOWN_SKU"
#define ORDERD_CODE_RESERVATION_CLOSED "RESERVATION_CLOSED"
#define ORDERD_CODE_RESERVATION_EXPIRED "RESERVATION_EXPIRED"

#endif
