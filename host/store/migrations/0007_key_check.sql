-- Which secrets.key belongs to this database: an HMAC by it, so that another one is noticed before it does harm.
create table key_check (one boolean primary key default true check (one), value bytea not null);
