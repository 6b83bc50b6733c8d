-- compatible: yes
-- Payments that a provider holds and no order of this database owns, until a person has acknowledged each.
create table unknown_payments (
  id bigint generated always as identity primary key,
  instance text not null,
  subject text not null,               -- what the provider was given as the payment's id: an order's, if it was ours
  reference text not null,             -- the provider's own
  authorized bigint not null,          -- minor units
  captured bigint not null,
  refunded bigint not null,
  voided bigint not null,
  first_seen timestamptz not null default now(),
  last_seen timestamptz not null default now(),
  acknowledged timestamptz,
  actor text,
  reason text,
  unique (instance, subject, reference)
);
create index unknown_payments_open on unknown_payments (instance) where acknowledged is null;
