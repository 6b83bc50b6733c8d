#include "inventory.h"

namespace inventory {

const std::vector<orderd_migration>& Plugin::migrations() const {
  static const std::vector<orderd_migration> all{{1, 0, "stock", R"(
create schema inventory;
create table inventory.stock (
  sku text primary key,
  name text not null,
  unit_price bigint not null,
  currency text not null,
  exponent smallint not null,
  on_hand bigint not null check (on_hand >= 0),
  reserved bigint not null default 0 check (reserved >= 0),
  sold bigint not null default 0 check (sold >= 0)
) with (fillfactor = 25);
create table inventory.stock_movements (
  id bigint generated always as identity primary key,
  sku text not null,
  kind text not null check (kind in ('receive', 'correct', 'import')),
  quantity bigint not null,
  at timestamptz not null default now(),
  reference text
);
create index stock_movements_sku on inventory.stock_movements (sku);
create table inventory.reservations (
  subject text primary key,
  state smallint not null,
  lines text not null
) with (fillfactor = 70);
)"}};
  return all;
}

}  // namespace inventory

ORDERD_PLUGIN(inventory::Plugin, "inventory-postgres", "1.0.0", "orderd")
