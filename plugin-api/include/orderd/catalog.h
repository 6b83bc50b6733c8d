/* "orderd.catalog/1", offered by an inventory plugin: what can be ordered, and goods coming in.
 *
 * 1. GET /api/products and `orderctl stock list` call list(tx, after, limit), page by page in order of SKU.
 * 2. `orderctl stock receive SKU 50` calls receive(); a correction is a negative quantity, and never makes
 *    stock negative.
 * 3. `orderctl stock import FILE` calls put(): new products are made, known ones get name and price, and
 *    their number on hand becomes the file's. Each change of a number is a movement, so that the ledger adds
 *    up.
 */
#ifndef ORDERD_CATALOG_H
#define ORDERD_CATALOG_H

#include "money.h"
#include "plugin.h"
#include "tx.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORDERD_EXT_CATALOG "orderd.catalog/1"

typedef struct orderd_product {
  uint32_t struct_size;
  uint32_t reserved;
  orderd_view sku;
  orderd_view name;
  orderd_money unit_price;
  int64_t available; /* can be promised now; for put(): on hand */
  int64_t held;      /* reserved for orders under way; ignored by put() */
  int64_t sold;      /* ever; ignored by put() */
} orderd_product;

/* Made by the host for one list() call; emit() copies the product. Frozen with the id. */
typedef struct orderd_product_sink {
  void *sink_data;
  void (*emit)(const struct orderd_product_sink *sink, const orderd_product *product);
} orderd_product_sink;

typedef struct orderd_catalog_v1 {
  /* Emits up to `limit` products with sku > `after` (absent: from the first), in order. [engine-thread] */
  orderd_status (*list)(orderd_plugin *plugin, orderd_tx *tx, orderd_view after, uint32_t limit,
                        const orderd_product_sink *sink, orderd_error *error);
  /* Adds to what is on hand; ORDERD_E_NOT_FOUND for an unknown SKU, ORDERD_E_INVALID if it would fall below
   * zero. [engine-thread] */
  orderd_status (*receive)(orderd_plugin *plugin, orderd_tx *tx, orderd_view sku, int64_t quantity,
                           orderd_error *error);
  /* Makes or updates products. [engine-thread] */
  orderd_status (*put)(orderd_plugin *plugin, orderd_tx *tx, const orderd_product *const *products,
                       uint64_t count, orderd_error *error);
} orderd_catalog_v1;

#ifdef __cplusplus
}
#endif
#endif
