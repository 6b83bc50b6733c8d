-- What operators look for, and dead letters that can be taken up again.

create index audit_log_subject on audit_log (subject, id);

-- Orders that need a person. Every other order's updates leave it alone, and stay HOT.
create index order_state_attention on order_state (id) where attention is not null;

-- A dead letter has a name of its own; records of the bus that are no event of ours have neither order nor version, and
-- keep what they came with here.
alter table parked
  drop constraint parked_pkey,
  add id bigint generated always as identity primary key,
  add headers jsonb,
  add payload bytea,
  add replay timestamptz;            -- somebody asked for it to be taken up again
create unique index parked_event on parked (consumer, order_id, from_version) where from_version > 0;
create unique index parked_record on parked (consumer, shard, pos);
create index parked_order on parked (order_id);
create index parked_replay on parked (consumer, id) where replay is not null;
