\set customer random(1, 5000)
\set first random(1, 1000)
\set second random(1, 1000)
\set quantity random(1, 3)
\set price random(100, 9999)
begin;
insert into orders (id, created, body) values (gen_random_uuid(), now(), jsonb_build_object('customerId', 'c-' || cast(:customer as int), 'currency', 'EUR', 'items', jsonb_build_array(jsonb_build_object('lineId', 1, 'sku', 'SKU-' || cast(:first as int), 'quantity', cast(:quantity as int), 'unitPrice', cast(:price as int)), jsonb_build_object('lineId', 2, 'sku', 'SKU-' || cast(:second as int), 'quantity', cast(:quantity as int), 'unitPrice', cast(:price as int))), 'payment', jsonb_build_object('method', 'card'))) returning id \gset
insert into order_events (order_id, version, at, payload) values (cast(:id as uuid), 1, now(), jsonb_build_object('type', 'ORDER_CREATED', 'status', 'PENDING', 'customerId', 'c-' || cast(:customer as int), 'currency', 'EUR', 'totalAmount', cast(:quantity as int) * cast(:price as int) * 2, 'items', jsonb_build_array(jsonb_build_object('lineId', 1, 'sku', 'SKU-' || cast(:first as int), 'quantity', cast(:quantity as int), 'unitPrice', cast(:price as int)), jsonb_build_object('lineId', 2, 'sku', 'SKU-' || cast(:second as int), 'quantity', cast(:quantity as int), 'unitPrice', cast(:price as int)))));
commit;
