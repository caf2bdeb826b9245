-- A supplier replaced by another (sources hand-book, 6): the migration's cross-reference list as a source of its own,
-- what the replaced source was, and which events of the two sources are one.
set role onestory_owner;

create table identity.cross_reference (              -- what the migration project says became of an old record
  version_id     bigint generated always as identity primary key,
  source         text not null,                      -- the list it stands in
  cross_reference_key text not null,                 -- old key, new key, load
  old_source text, old_key text not null,            -- keys only: the records may come later, or never
  new_source text, new_key text not null,
  load_number    integer not null,
  is_evidence    boolean not null,                   -- false for trial loads: their new ids are handed out anew
  match_rule text, match_rule_raw text,
  decided_by text, decided_on date,
  valid_from date, valid_to date,                    -- in force until a later decision on the same old id
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

-- Which source replaced which, and when: written from the council's profile at every build.
create table core.replaced_source (
  old_source text primary key, new_source text not null,
  freeze_from date not null, live_from date not null, dual_running_until date not null,
  check (old_source <> new_source and freeze_from <= live_from and live_from <= dual_running_until)
);

-- Told in both systems, happened once: `event_id` is the later telling, which does not count; `same_as_event_id` the
-- first, which does and takes from the later one how it ended. Nothing is deleted; both keep their rows and lines.
create table core.same_event (
  version_id bigint generated always as identity primary key,
  event_id bigint not null, same_as_event_id bigint not null,
  kind text not null, rule text not null,            -- service_continues, told_twice, history_copied
  started_on date,                                   -- when the first telling says it began
  row_digest text not null, known_from timestamptz not null, known_to timestamptz,
  check (event_id <> same_as_event_id)
);

-- The real start of a service that was entered anew when the system changed; null for every other service.
alter table core.service add column original_start_date date;

create view release.same_event with (security_barrier) as
  select event_id, same_as_event_id, kind, rule, started_on, known_from
    from core.same_event
   where known_from <= (select as_known_at from core.shown)
     and (known_to is null or known_to > (select as_known_at from core.shown));

create or replace view release.service with (security_barrier) as
  select event_id, person_id, source, client_type, start_date, end_date, recorded_at,
         service_type, service_component, delivery_mechanism, primary_support_reason,
         provider_name, cqc_location_id, unit_cost, cost_frequency, planned_units, outcomes, status,
         valid_from, valid_to, landed_dataset, landed_version_id, known_from, original_start_date
    from core.service
   where known_from <= (select as_known_at from core.shown)
     and (known_to is null or known_to > (select as_known_at from core.shown));

-- A return counts an event once: by its first telling, under the reference earlier returns gave it.
create or replace view returns.request with (security_barrier) as
  select r.event_id, e.event_key as event_reference, r.person_id, r.source, r.client_type, r.start_date, r.end_date,
         r.recorded_at, r.route_of_access, r.route_of_access_raw, r.primary_support_reason, r.primary_support_reason_raw,
         r.outcomes, r.outcomes_raw, r.description, r.status, r.landed_dataset, r.landed_version_id
    from core.request r inner join core.event e on e.event_id = r.event_id
   where r.known_from <= (select as_known_at from core.shown)
     and (r.known_to is null or r.known_to > (select as_known_at from core.shown))
     and r.event_id not in (select event_id from release.same_event);

create or replace view returns.assessment with (security_barrier) as
  select a.event_id, e.event_key as event_reference, a.person_id, a.source, a.client_type, a.start_date, a.end_date,
         a.recorded_at, a.assessment_type, a.assessment_type_raw, a.eligible_needs, a.method, a.method_raw,
         a.primary_support_reason, a.primary_support_reason_raw, a.outcomes, a.outcomes_raw, a.description, a.status,
         a.landed_dataset, a.landed_version_id
    from core.assessment a inner join core.event e on e.event_id = a.event_id
   where a.known_from <= (select as_known_at from core.shown)
     and (a.known_to is null or a.known_to > (select as_known_at from core.shown))
     and a.event_id not in (select event_id from release.same_event);

create or replace view returns.review with (security_barrier) as
  select r.event_id, e.event_key as event_reference, r.person_id, r.source, r.client_type, r.due_date, r.start_date,
         r.end_date, r.recorded_at, r.review_reason, r.review_reason_raw, r.outcomes_achieved, r.method, r.method_raw,
         r.primary_support_reason, r.primary_support_reason_raw, r.outcomes, r.outcomes_raw, r.description, r.status,
         r.landed_dataset, r.landed_version_id
    from core.review r inner join core.event e on e.event_id = r.event_id
   where r.known_from <= (select as_known_at from core.shown)
     and (r.known_to is null or r.known_to > (select as_known_at from core.shown))
     and r.event_id not in (select event_id from release.same_event);

create or replace view returns.service with (security_barrier) as
  select s.event_id, e.event_key as event_reference, s.person_id, s.source, s.client_type,
         s.start_date, s.end_date, s.recorded_at, s.service_type, s.service_type_raw, s.service_component, s.service_component_raw,
         s.delivery_mechanism, s.delivery_mechanism_raw, s.primary_support_reason, s.primary_support_reason_raw,
         s.provider_name, s.cqc_location_id, s.unit_cost, s.unit_cost_raw, s.cost_frequency, s.planned_units,
         s.outcomes, s.outcomes_raw, s.description, s.status, s.landed_dataset, s.landed_version_id
    from core.service s inner join core.event e on e.event_id = s.event_id
   where s.known_from <= (select as_known_at from core.shown)
     and (s.known_to is null or s.known_to > (select as_known_at from core.shown))
     and s.event_id not in (select event_id from release.same_event);
reset role;

create unique index cross_reference_now on identity.cross_reference (source, cross_reference_key) where known_to is null;
create unique index same_event_now on core.same_event (event_id) where known_to is null;
create unique index same_as_event_now on core.same_event (same_as_event_id) where known_to is null;
