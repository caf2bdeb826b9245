-- The planner's picture of a zone, brought up to date after a load. Only a table's owner may do that and no service owns
-- any, so the owner lends this one act. Without it the first night joins tables the planner believes to be empty.
set role onestory_owner;
create function ledger.refresh_statistics(zone text) returns void
  language plpgsql security definer set search_path = '' as $$
declare named regclass;
begin
  if zone not in ('landing', 'identity', 'payload', 'core') then
    raise exception 'no statistics are kept by hand for the zone %', zone;
  end if;
  for named in
    select c.oid::regclass from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = zone and c.relkind = 'r' order by c.relname
  loop
    execute pg_catalog.format('analyze %s', named);
  end loop;
end $$;
reset role;
