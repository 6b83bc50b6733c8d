-- Orders, the log of their events (the outbox), positions and leases, sagas. Statements and their order: docs/adr/0001.

create function orderd_expect(got bigint, want bigint, state text, what text) returns bigint
language plpgsql as $$
begin
  if got <> want then raise exception '%: % of % rows', what, got, want using errcode = state; end if;
  return got;
end $$;

-- Written once: the wide part stays out of every later change.
create table orders (
  id uuid primary key,
  created timestamptz not null,
  body jsonb not null
);

-- The narrow part that changes. No index but the key, so that every update is HOT.
create table order_state (
  id uuid primary key,
  shard smallint not null,
  status smallint not null,
  version int not null,
  payment_status smallint not null,
  attention text
) with (fillfactor = 70);

-- The truth: history, stream resume, rebuilds and the outbox are these rows. Append-only; positions have no gaps and become
-- visible in order, because they are given under log_shard's row lock as the last thing before COMMIT.
create table order_events (
  order_id uuid not null,
  version int not null,
  type smallint not null,
  at timestamptz not null,
  payload bytea not null,
  traceparent text,
  shard smallint not null,
  pos bigint not null,
  primary key (order_id, version)
) partition by range (order_id);
create index order_events_log on order_events (shard, pos);
create table order_events_default partition of order_events default;

-- An id of version 7 begins with its time: one partition a month, made ahead.
create function orderd_month_bound(month timestamptz) returns uuid language sql immutable as $$
  select (lpad(to_hex((extract(epoch from month) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;
create function orderd_ensure_partitions(from_month timestamptz, months int) returns void language plpgsql as $$
declare
  month timestamptz;
  part text;
begin
  for i in 0 .. months - 1 loop
    month := date_trunc('month', from_month at time zone 'UTC') at time zone 'UTC' + make_interval(months => i);
    part := 'order_events_' || to_char(month at time zone 'UTC', 'YYYYMM');
    if to_regclass(part) is null then
      execute format('create table %I partition of order_events for values from (%L) to (%L)', part,
                     orderd_month_bound(month), orderd_month_bound(month + interval '1 month'));
    end if;
  end loop;
end $$;
select orderd_ensure_partitions(now(), 3);

create table log_shard (shard smallint primary key, last bigint not null) with (fillfactor = 10);
insert into log_shard select s, 0 from generate_series(0, 7) s;

-- How far a consumer is in a partition, and by that same row who may write for it.
create table positions (
  consumer text not null,
  shard smallint not null,
  pos bigint not null,
  epoch int not null,
  owner uuid,
  lease_until timestamptz not null default '-infinity',
  primary key (consumer, shard)
) with (fillfactor = 10);

-- Hosts that are alive, to share the shards fairly.
create table hosts (consumer text not null, id uuid not null, seen timestamptz not null, primary key (consumer, id))
  with (fillfactor = 10);

-- Keys of the API's callers; 24 hours.
create table idempotency_keys (
  scope text not null,
  key text not null,
  fingerprint bytea not null,
  order_id uuid not null,
  version int not null,
  created timestamptz not null,
  primary key (scope, key)
);
create index idempotency_keys_created on idempotency_keys using brin (created);

-- Token and buyer's data for the provider, AES-256-GCM; gone once the authorization is settled.
create table payment_secrets (order_id uuid primary key, sealed bytea not null);

-- Definitions by digest: what an order in flight runs does not change with the file.
create table saga_definitions (digest text primary key, name text not null, body jsonb not null,
  created timestamptz not null default now());

-- Live and stuck sagas only. No index but the key: one on st or wake would end HOT for every transition.
create table sagas (
  order_id uuid primary key,
  shard smallint not null,
  st smallint not null,
  wake timestamptz,
  data jsonb not null
) with (fillfactor = 50);

-- What finished sagas did, for people and for a later cancellation.
create table saga_journal (
  order_id uuid not null,
  at timestamptz not null,
  data jsonb not null
);
create index saga_journal_order on saga_journal (order_id);

-- Events that a consumer could not take: the order waits from that version on, everybody else goes on.
create table parked (
  consumer text not null,
  order_id uuid not null,
  from_version int not null,
  shard smallint not null,
  pos bigint not null,
  reason text not null,
  at timestamptz not null default now(),
  primary key (consumer, order_id, from_version)
);

-- Raw webhooks of providers, until the engine takes them.
create table webhook_inbox (
  instance text not null,
  event_id text not null,
  received timestamptz not null default now(),
  headers jsonb not null,
  body bytea not null,
  taken timestamptz,
  primary key (instance, event_id)
);

create table audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor text not null,
  verb text not null,
  subject text not null,
  reason text,
  data jsonb not null default '{}'
);
