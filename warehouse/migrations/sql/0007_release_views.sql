-- What analysts see: the rows of one release and nothing else. Without a wish it is the current release; a session may
-- pin an older one with  set onestory.release = '3'.  Views run with their owner's rights, and a security barrier keeps
-- a caller's functions from looking at rows the view leaves out (CTL-3). Every statement reads one release, because it
-- reads one moment of the pointer (F80).
set role onestory_owner;

create function release.number_shown() returns integer
  language plpgsql stable security definer set search_path = '' as $$
declare wish text := nullif(pg_catalog.current_setting('onestory.release', true), '');
begin
  if wish is null then
    return (select c.number from core.current_release c);
  end if;
  if wish !~ '^[0-9]{1,9}$' or not exists (select from ledger.release r where r.number = wish::integer) then
    raise exception 'release % was never published', left(wish, 20)
      using hint = 'Choose a published release with  set onestory.release = ''<number>'' , or  reset onestory.release .';
  end if;
  return wish::integer;
end $$;

create view core.shown as
  select r.number, r.as_known_at, r.published_at, r.digest from ledger.release r where r.number = (select release.number_shown());

create view release.about with (security_barrier) as
  select s.number as release, s.as_known_at, s.published_at, s.digest, s.number = c.number as is_current
    from core.shown s cross join core.current_release c;

create view release.person with (security_barrier) as
  select person_id, birth_month, sex, ethnicity_code, death_date, valid_from, valid_to, known_from
    from core.person
   where known_from <= (select as_known_at from core.shown)
     and (known_to is null or known_to > (select as_known_at from core.shown));

create view release.identity with (security_barrier) as
  select person_id, source_record_id, source, is_client, is_carer, reason, link_weight,
         landed_dataset, landed_version_id, known_from
    from core.identity
   where known_from <= (select as_known_at from core.shown)
     and (known_to is null or known_to > (select as_known_at from core.shown));

create view release.request with (security_barrier) as
  select event_id, person_id, source, client_type, start_date, end_date, recorded_at,
         route_of_access, primary_support_reason, outcomes, status,
         valid_from, valid_to, landed_dataset, landed_version_id, known_from
    from core.request
   where known_from <= (select as_known_at from core.shown)
     and (known_to is null or known_to > (select as_known_at from core.shown));

create view release.assessment with (security_barrier) as
  select event_id, person_id, source, client_type, start_date, end_date, recorded_at,
         assessment_type, eligible_needs, method, primary_support_reason, outcomes, status,
         valid_from, valid_to, landed_dataset, landed_version_id, known_from
    from core.assessment
   where known_from <= (select as_known_at from core.shown)
     and (known_to is null or known_to > (select as_known_at from core.shown));

create view release.review with (security_barrier) as
  select event_id, person_id, source, client_type, due_date, start_date, end_date, recorded_at,
         review_reason, outcomes_achieved, method, primary_support_reason, outcomes, status,
         valid_from, valid_to, landed_dataset, landed_version_id, known_from
    from core.review
   where known_from <= (select as_known_at from core.shown)
     and (known_to is null or known_to > (select as_known_at from core.shown));

create view release.service with (security_barrier) as
  select event_id, person_id, source, client_type, start_date, end_date, recorded_at,
         service_type, service_component, delivery_mechanism, primary_support_reason,
         provider_name, cqc_location_id, unit_cost, cost_frequency, planned_units, outcomes, status,
         valid_from, valid_to, landed_dataset, landed_version_id, known_from
    from core.service
   where known_from <= (select as_known_at from core.shown)
     and (known_to is null or known_to > (select as_known_at from core.shown));

create view release.characteristic with (security_barrier) as
  select event_id, person_id, source, kind, value, valid_from, valid_to, landed_dataset, landed_version_id, known_from
    from core.characteristic
   where known_from <= (select as_known_at from core.shown)
     and (known_to is null or known_to > (select as_known_at from core.shown));

create view release.caring with (security_barrier) as
  select event_id, person_id, cared_for_person_id, source, valid_from, valid_to, landed_dataset, landed_version_id, known_from
    from core.caring
   where known_from <= (select as_known_at from core.shown)
     and (known_to is null or known_to > (select as_known_at from core.shown));

create view release.referral with (security_barrier) as
  select event_id, person_id, source, organisation_code, referral_date, discharge_date, recorded_at,
         referral_source, service, urgency, primary_reason, discharge_reason,
         valid_from, valid_to, landed_dataset, landed_version_id, known_from
    from core.referral
   where known_from <= (select as_known_at from core.shown)
     and (known_to is null or known_to > (select as_known_at from core.shown));

create view release.contact with (security_barrier) as
  select event_id, person_id, source, organisation_code, contact_type, referral_event_id, start_at, is_date_only,
         duration_minutes, status, recorded_at, valid_from, valid_to, landed_dataset, landed_version_id, known_from
    from core.contact
   where known_from <= (select as_known_at from core.shown)
     and (known_to is null or known_to > (select as_known_at from core.shown));
reset role;
