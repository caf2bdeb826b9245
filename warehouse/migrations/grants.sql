-- The role matrix of governance CTL-1 … CTL-5, in one place; it may be run again after any change of the schema. What is
-- not granted here is not allowed: functions too, which a database otherwise opens to everybody.
revoke all on schema public from public;
do $$
begin
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to onestory_loader, onestory_linker, onestory_publisher, onestory_returns_officer, '
                 'onestory_analyst, onestory_auditor', current_database());
  execute format('grant temporary on database %I to onestory_loader, onestory_linker, onestory_publisher, '
                 'onestory_returns_officer', current_database());
end $$;

set role onestory_owner;
do $$
declare zone text;
begin
  foreach zone in array array['landing', 'staging', 'quarantine', 'identity', 'payload', 'core', 'release', 'returns', 'ledger',
    'eligibility'] loop
    execute format('revoke execute on all functions in schema %I from public', zone);
    execute format('alter default privileges in schema %I revoke execute on functions from public', zone);
  end loop;
end $$;
alter default privileges revoke execute on functions from public;

grant usage on schema landing, staging, quarantine, identity, payload, ledger to onestory_loader;
grant create on schema staging to onestory_loader;
grant select, insert, update on all tables in schema landing, quarantine, payload to onestory_loader;
grant delete on landing.code_map to onestory_loader;   -- a mapping that was withdrawn must go (connectors/conform.py)
grant select, insert, update on identity.source_record, identity.source_person, identity.source_address, identity.source_reference to onestory_loader;
grant execute on all functions in schema landing to onestory_loader;
alter default privileges in schema landing grant select, insert, update on tables to onestory_loader;
alter default privileges in schema landing grant execute on functions to onestory_loader;

grant select, insert, update on identity.cross_reference to onestory_loader;

grant usage on schema identity, ledger to onestory_linker;
grant select on identity.cross_reference to onestory_linker;
grant select, insert, update on identity.do_not_link, identity.do_not_trace to onestory_linker;
grant select on identity.ordinary_review, identity.restricted_review to onestory_linker;
grant select, insert on identity.new_bearer to onestory_linker;   -- only ever added to
grant select, insert, update on identity.source_record, identity.source_person, identity.source_address, identity.source_reference,
  identity.person, identity.membership, identity.link, identity.decision, identity.person_detail to onestory_linker;
grant select, insert, update, delete on identity.standardised_record to onestory_linker;   -- working state, no history

-- The eligibility zone holds answers of the opt-out check and nothing else; who publishes asks it, nobody reads it to look.
grant usage on schema eligibility to onestory_loader, onestory_publisher;
grant select, insert, update, delete on eligibility.checked_number to onestory_loader;
grant select on eligibility.checked_number to onestory_publisher;
grant insert, update on ledger.opt_out_check to onestory_loader;
grant select on identity.number_status to onestory_loader;

grant select, insert, update on identity.trace_answer to onestory_linker;
grant select on identity.number_status to onestory_linker;
grant execute on function identity.trace_digest(identity.source_person) to onestory_linker, onestory_loader;
grant insert, update on ledger.trace_request to onestory_linker;

-- The publisher reads no identifiers: of a person and of a supplier's record only the outlines (CTL-2).
grant usage on schema identity, payload, core, release, ledger to onestory_publisher;
grant select on identity.membership, identity.person, identity.source_record, identity.person_outline, identity.record_outline,
  identity.membership_strength, identity.new_bearer to onestory_publisher;
grant select on all tables in schema payload to onestory_publisher;
grant select, insert, update, delete on all tables in schema core to onestory_publisher;
grant select on all tables in schema release to onestory_publisher;

grant usage on schema release, returns, ledger to onestory_returns_officer;
grant select on all tables in schema release, returns to onestory_returns_officer;

grant usage on schema release to onestory_analyst;
grant select on all tables in schema release to onestory_analyst;

grant execute on function ledger.refresh_statistics(text) to onestory_loader, onestory_linker, onestory_publisher;
grant execute on function ledger.landed_line(text, bigint) to onestory_linker, onestory_publisher, onestory_returns_officer;

-- A view asks the caller's right to the functions it uses.
grant execute on function release.number_shown() to onestory_publisher, onestory_returns_officer, onestory_analyst;

-- The ledger is read by all who work; each stage writes its own lines only.
grant usage on schema ledger to onestory_auditor;
grant select on all tables in schema ledger to onestory_loader, onestory_linker, onestory_publisher, onestory_returns_officer, onestory_auditor;
grant insert, update on ledger.run, ledger.lease to onestory_loader, onestory_linker, onestory_publisher, onestory_returns_officer;
grant insert, update on ledger.delivery, ledger.file, ledger.landed_table, ledger.row_account, ledger.exclusion, ledger.rule_result,
  ledger.verdict to onestory_loader;
grant insert, update on ledger.unknown_column, ledger.column_question to onestory_loader;
grant insert, update, delete on ledger.left_out_person to onestory_loader;   -- who is delivered as an adult is struck out
grant insert on ledger.incident, ledger.incident_note to onestory_loader;
grant insert on ledger.notice to onestory_linker;
-- Who is who is no business of those who load or report: notices and recipients are for linkage and for the auditor.
revoke select on ledger.notice, ledger.shown_in_release from onestory_loader, onestory_publisher, onestory_returns_officer;
grant insert on ledger.link_run, ledger.model_comparison, ledger.model_adoption to onestory_linker;
grant insert on ledger.release to onestory_publisher;
grant insert, update on ledger.prepared_return to onestory_returns_officer;
reset role;

-- Doors a database leaves open to everybody: large objects can be written without any right to create, and advisory
-- locks would let a reader hold up the flows that use them.
do $$
declare open_door regprocedure;
begin
  for open_door in
    select p.oid::regprocedure from pg_catalog.pg_proc p
     where p.pronamespace = 'pg_catalog'::regnamespace
       and (p.proname like 'lo\_%' or p.proname in ('lowrite', 'loread') or p.proname like 'pg\_%advisory%')
  loop
    execute format('revoke execute on function %s from public', open_door);
    if open_door::text like '%advisory%' then
      execute format('grant execute on function %s to onestory_loader, onestory_linker, onestory_publisher, onestory_returns_officer', open_door);
    end if;
  end loop;
exception when insufficient_privilege then
  raise notice 'the catalogue functions stay open: only a superuser can close them';
end $$;

-- An analyst's statement cannot run for ever, and writing is refused before rights are even asked (CTL-5).
do $$
begin
  if not exists (select from pg_catalog.pg_db_role_setting s join pg_catalog.pg_roles r on r.oid = s.setrole
                  where r.rolname = 'onestory_analyst' and s.setdatabase = 0) then
    alter role onestory_analyst set statement_timeout = '10min';
    alter role onestory_analyst set default_transaction_read_only = on;
  end if;
end $$;
