-- API keys. A caller is who asks, whatever its key is at the moment: idempotency keys and audit rows name the caller, so
-- that a key can be replaced. Rows stay when a key is revoked, so that an id is never another's.
create table api_keys (
  id text primary key,
  caller text not null,
  sha256 text not null,            -- of the key's text, which is nowhere
  scopes text[] not null,
  customer text,                   -- sees and places this customer's orders only; null: all customers'
  created timestamptz not null default now(),
  expires timestamptz,
  revoked timestamptz
);
create index api_keys_live on api_keys (caller) where revoked is null;
