-- How far the payments of each provider have been compared with ours, and when it is done again.
create table sweeps (
  instance text primary key,
  since timestamptz not null default now() - interval '1 day',  -- payments moved before it are compared
  next_at timestamptz not null default now()                    -- moved on by the host that takes the next sweep
);
