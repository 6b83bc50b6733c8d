-- Builds of plugins: which there are, which one new orders go to, what each host has loaded.
create table plugin_builds (
  instance text not null,
  digest text not null,                        -- SHA-256 of the file, hex
  plugin text not null,                        -- its own name and version
  version text not null,
  added_at timestamptz not null default now(),
  added_by text not null,
  state text not null default 'ready',         -- ready, draining (no order gets it back), retired (stopped)
  primary key (instance, digest)
);

create table plugin_current (
  instance text primary key,
  digest text not null,
  previous text,                               -- what a rollback goes back to
  file_digest text not null,                   -- of plugin.<instance>.library when this was decided
  since timestamptz not null default now(),
  actor text not null
);

-- Rows of hosts that are gone are forgotten after a day.
create table plugin_loaded (
  host uuid not null,
  instance text not null,
  digest text not null,                        -- that new orders of this host go to
  problem text not null default '',            -- why it is not the one that plugin_current names
  seen timestamptz not null default now(),
  primary key (host, instance)
);
