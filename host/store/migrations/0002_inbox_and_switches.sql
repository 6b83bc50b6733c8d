-- What reaches a saga besides the log (notices of providers, verbs of operators), what a person paused, what hosts know of plugins.

-- To be taken by the owner of the order's shard; the transaction that takes a row deletes it.
create table saga_inbox (
  id bigint generated always as identity primary key,
  shard smallint not null,
  order_id uuid not null,
  kind smallint not null,             -- 1 notice (webhook, sweeper), 2 verb (operator)
  data jsonb not null,
  at timestamptz not null default now()
);
create index saga_inbox_shard on saga_inbox (shard, id);

-- Raw webhooks as they came, until the plugin has verified and translated them.
drop table webhook_inbox;
create table webhook_inbox (
  id bigint generated always as identity primary key,
  instance text not null,
  method text not null,
  headers jsonb not null,
  body bytea not null,
  received timestamptz not null default now(),
  attempts int not null default 0,
  next_at timestamptz not null default now()
);

-- Every provider event that was translated, by the provider's own id: the second is a duplicate.
create table webhook_events (
  instance text not null,
  event_id text not null,
  order_id uuid,
  received timestamptz not null default now(),
  primary key (instance, event_id)
);

-- What is paused: 'intake', 'captures', 'plugin:<instance>'.
create table switches (
  name text primary key,
  since timestamptz not null default now(),
  actor text not null,
  reason text not null
);

-- What each saga host says of each plugin instance: its breaker, and how many sagas wait for it.
create table plugin_status (
  host uuid not null,
  instance text not null,
  breaker text not null,              -- closed, open, half_open
  parked int not null,
  since timestamptz not null,
  seen timestamptz not null,
  primary key (host, instance)
);

create index saga_journal_reference on saga_journal ((data ->> 'reference')) where data ->> 'reference' <> '';
