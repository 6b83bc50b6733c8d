-- compatible: yes
-- A month whose events are in the default partition already gets its partition all the same: they move there. Until now one
-- such row (of a host whose clock was months ahead) ended the making of all partitions. More than `rows_max` are left
-- where they are, and only that month.
create or replace function orderd_ensure_partitions(from_month timestamptz, months int) returns void language plpgsql as $$
declare
  rows_max constant int := 10000;
  month timestamptz;
  low uuid;
  high uuid;
  part text;
  there int;
begin
  for i in 0 .. months - 1 loop
    month := date_trunc('month', from_month at time zone 'UTC') at time zone 'UTC' + make_interval(months => i);
    part := 'order_events_' || to_char(month at time zone 'UTC', 'YYYYMM');
    continue when to_regclass(part) is not null;
    low := orderd_month_bound(month);
    high := orderd_month_bound((month at time zone 'UTC' + interval '1 month') at time zone 'UTC');
    select count(*) into there from
      (select from order_events_default where order_id >= low and order_id < high limit rows_max + 1) l;
    if there = 0 then
      execute format('create table %I partition of order_events for values from (%L) to (%L)', part, low, high);
    elsif there > rows_max then
      raise warning '%: more than % events of that month are in order_events_default, and stay there', part, rows_max;
    else
      -- Nobody reads or writes them meanwhile: they are gone from the one only when they are in the other.
      lock table order_events_default in access exclusive mode;
      execute format('create table %I (like order_events including defaults including constraints)', part);
      execute format('with moved as (delete from order_events_default where order_id >= %L and order_id < %L returning *) '
                     'insert into %I select * from moved', low, high, part);
      execute format('alter table order_events attach partition %I for values from (%L) to (%L)', part, low, high);
    end if;
  end loop;
end $$;
