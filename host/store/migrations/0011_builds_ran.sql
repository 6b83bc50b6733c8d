-- compatible: yes
-- When a host first sent new orders to a build: only such a one is what a rollback goes back to, and it may be
-- given settings that are newer than itself.
alter table plugin_builds add column ran_at timestamptz;
update plugin_builds b set ran_at = b.added_at
where exists (select from plugin_current c where c.instance = b.instance and b.digest in (c.digest, c.file_digest))
   or exists (select from plugin_loaded l where l.instance = b.instance and l.digest = b.digest);
