#pragma once
#include <vector>

#include "http/api.h"
#include "plugin_ports/catalog.h"
#include "store/pool.h"

namespace orderd {

/// GET /api/products from the inventory plugins' catalog; an empty list if there is none. [any thread]
http::ProductSource product_source(store::Pool& pool, std::vector<plugins::CatalogPort*> catalogs);

}  // namespace orderd
