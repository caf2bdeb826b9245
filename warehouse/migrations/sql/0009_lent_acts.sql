-- Two narrow acts the owner lends to services that own nothing and may not look for themselves.
set role onestory_owner;

-- The planner's picture of a zone, brought up to date after a load. Only a table's owner may do that; without it the
-- first night joins tables the planner believes to be empty.
create function ledger.refresh_statistics(zone text) returns void
  language plpgsql security definer set search_path = '' as $$
declare named regclass;
begin
  if zone is null or zone not in ('landing', 'identity', 'payload', 'core') then
    raise exception 'no statistics are kept by hand for the zone %', zone;
  end if;
  for named in
    select c.oid::regclass from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = zone and c.relkind = 'r'
       and (c.reltuples < 0     -- never looked at, or changed by more than a tenth since
            or pg_catalog.pg_stat_get_mod_since_analyze(c.oid) > 500 + c.reltuples / 10)
     order by c.relname
  loop
    execute pg_catalog.format('analyze %s', named);
  end loop;
end $$;

-- Which line of which file a landed row is: its place, nothing of its content.
create function ledger.landed_line(dataset text, version bigint) returns table (file_id bigint, line bigint)
  language plpgsql stable security definer set search_path = '' as $$
begin
  if not exists (select from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
                  where c.relnamespace = 'landing'::regnamespace and c.relname = dataset and a.attname = 'landed_line') then
    raise exception 'nothing is landed under the name %', left(dataset, 80);
  end if;
  return query execute pg_catalog.format(
    'select landed_file_id, landed_line from landing.%I where version_id = $1', dataset) using version;
end $$;
reset role;
