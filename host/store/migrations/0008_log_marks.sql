-- compatible: yes
-- The log behind a bus that may lose records, or hold records of a log that is no more.

-- How far into the log a consumer of another bus has come, at least. What its topic lacks it reads from order_events
-- behind this.
create table log_marks (
  consumer text not null,
  shard smallint not null,
  pos bigint not null,
  primary key (consumer, shard)
) with (fillfactor = 10);

-- Which log this is. Every event carries it on the bus. A restore, or a standby that took over, makes it another log:
-- `database` says then that the server is another one.
create table log_epoch (
  one boolean primary key default true check (one),
  id uuid not null,
  since timestamptz not null default now(),
  database text not null,
  actor text not null,
  reason text not null
);

-- The server's identity, its timeline, and the database: what a restore or a failover changes. What the role may not
-- see, or a hosted server does not tell, is left out.
create function orderd_database() returns text language plpgsql stable as $$
declare
  system text := '';
  timeline text := '';
begin
  begin
    select system_identifier::text into system from pg_control_system();
  exception when others then null;
  end;
  begin
    timeline := left(pg_walfile_name(pg_current_wal_lsn()), 8);
  exception when others then null;
  end;
  return system || '/' || timeline || '/' || (select oid from pg_database where datname = current_database())::text;
end $$;
insert into log_epoch (id, database, actor, reason) values (gen_random_uuid(), orderd_database(), 'orderd', 'the first');
