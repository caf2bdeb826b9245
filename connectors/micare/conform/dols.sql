-- One row per application for a deprivation-of-liberty authorisation (episodes of type DOLS): OPENED received, DECIDED,
-- STARTED and CLOSED the authorisation. Key: event_key = 'dols:' and EPISODE_NO.
with event as (
  select e.*, nullif(landing.day_ddmmyyyy(e.closed), date '1900-01-01') as end_day
    from landing.micare__episode e
   where e.known_to is null and not e.is_removed and upper(btrim(e.episode_type)) = 'DOLS'
)
select
  'dols:' || btrim(e.episode_no) as event_key,
  btrim(e.client_no) as source_person_key,
  landing.day_ddmmyyyy(e.opened) as received_date,
  landing.day_ddmmyyyy(e.decided) as decided_date,
  landing.day_ddmmyyyy(e.started) as start_date,
  e.end_day as end_date,
  landing.day_ddmmyyyy(e.keyed)::timestamp at time zone 'Europe/London' as recorded_at,
  decision.clean as decision,
  landing.text_or_null(e.outcome_1) as decision_raw,
  place.clean as place_kind,
  landing.text_or_null(e.episode_code) as place_kind_raw,
  'micare__episode'::text as landed_dataset,
  e.version_id as landed_version_id
from event e
left join landing.code_map decision
       on decision.source = 'micare' and decision.code_set = 'dols_decision'
      and decision.raw = upper(btrim(e.outcome_1))
left join landing.code_map place
       on place.source = 'micare' and place.code_set = 'dols_place'
      and place.raw = upper(btrim(e.episode_code))
