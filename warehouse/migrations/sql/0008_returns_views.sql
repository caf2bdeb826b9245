-- What the returns officer sees beside the release: who the people of the same release are, and of each care event the
-- supplier's own reference, codes and description, which a return must carry and a release must not (governance 5.1;
-- free text is off by default, CAL).
create schema if not exists returns authorization onestory_owner;
set role onestory_owner;

create view returns.person with (security_barrier) as
  select d.person_id, d.nhs_number, d.nhs_number_verified, d.forename, d.surname, d.birth_date, d.death_date, d.sex,
         d.ethnicity_code, d.postcode, d.gp_practice_code
    from identity.person_detail d
    inner join release.person p on p.person_id = d.person_id
   where d.known_from <= (select as_known_at from core.shown)
     and (d.known_to is null or d.known_to > (select as_known_at from core.shown));

create view returns.request with (security_barrier) as
  select r.event_id, e.event_key as event_reference, r.person_id, r.source, r.client_type, r.start_date, r.end_date,
         r.recorded_at, r.route_of_access, r.route_of_access_raw, r.primary_support_reason, r.primary_support_reason_raw,
         r.outcomes, r.outcomes_raw, r.description, r.status, r.landed_dataset, r.landed_version_id
    from core.request r inner join core.event e on e.event_id = r.event_id
   where r.known_from <= (select as_known_at from core.shown)
     and (r.known_to is null or r.known_to > (select as_known_at from core.shown));

create view returns.assessment with (security_barrier) as
  select a.event_id, e.event_key as event_reference, a.person_id, a.source, a.client_type, a.start_date, a.end_date,
         a.recorded_at, a.assessment_type, a.assessment_type_raw, a.eligible_needs, a.method, a.method_raw,
         a.primary_support_reason, a.primary_support_reason_raw, a.outcomes, a.outcomes_raw, a.description, a.status,
         a.landed_dataset, a.landed_version_id
    from core.assessment a inner join core.event e on e.event_id = a.event_id
   where a.known_from <= (select as_known_at from core.shown)
     and (a.known_to is null or a.known_to > (select as_known_at from core.shown));

create view returns.review with (security_barrier) as
  select r.event_id, e.event_key as event_reference, r.person_id, r.source, r.client_type, r.due_date, r.start_date,
         r.end_date, r.recorded_at, r.review_reason, r.review_reason_raw, r.outcomes_achieved, r.method, r.method_raw,
         r.primary_support_reason, r.primary_support_reason_raw, r.outcomes, r.outcomes_raw, r.description, r.status,
         r.landed_dataset, r.landed_version_id
    from core.review r inner join core.event e on e.event_id = r.event_id
   where r.known_from <= (select as_known_at from core.shown)
     and (r.known_to is null or r.known_to > (select as_known_at from core.shown));

create view returns.service with (security_barrier) as
  select s.event_id, e.event_key as event_reference, s.person_id, s.source, s.client_type, s.start_date, s.end_date,
         s.recorded_at, s.service_type, s.service_type_raw, s.service_component, s.service_component_raw,
         s.delivery_mechanism, s.delivery_mechanism_raw, s.primary_support_reason, s.primary_support_reason_raw,
         s.provider_name, s.cqc_location_id, s.unit_cost, s.unit_cost_raw, s.cost_frequency, s.planned_units,
         s.outcomes, s.outcomes_raw, s.description, s.status, s.landed_dataset, s.landed_version_id
    from core.service s inner join core.event e on e.event_id = s.event_id
   where s.known_from <= (select as_known_at from core.shown)
     and (s.known_to is null or s.known_to > (select as_known_at from core.shown));
reset role;
