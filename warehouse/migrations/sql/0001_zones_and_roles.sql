-- Zones are schemas; owners cannot sign in; people and services sign in with roles that own nothing
-- (governance CTL-1, CTL-2). Roles belong to the whole cluster, so each is made only when missing.
do $$
declare r text;
begin
  foreach r in array array['onestory_owner'] loop
    if not exists (select from pg_roles where rolname = r) then execute format('create role %I nologin', r); end if;
  end loop;
  foreach r in array array['loader', 'linker', 'publisher', 'returns_officer', 'analyst', 'auditor'] loop
    if not exists (select from pg_roles where rolname = 'onestory_' || r) then
      execute format('create role %I login', 'onestory_' || r);
    end if;
  end loop;
end $$;

create schema if not exists landing authorization onestory_owner;
create schema if not exists staging authorization onestory_owner;
create schema if not exists quarantine authorization onestory_owner;
create schema if not exists identity authorization onestory_owner;
create schema if not exists payload authorization onestory_owner;
create schema if not exists core authorization onestory_owner;
create schema if not exists release authorization onestory_owner;
create schema if not exists ledger authorization onestory_owner;
