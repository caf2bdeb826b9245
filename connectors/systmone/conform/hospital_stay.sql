-- One row per admission to a community hospital. Key: event_key = 'hospital_stay:' and row_id.
-- A row that several organisations see is taken once, from the view of the organisation that entered it. The ward is that
-- of the stay begun last; a delay that goes on has no end. Rows with a date of deletion are not taken (sources 2.5).
with list_item as (
  select row_id, landing.label_of(item_text) as label
    from landing.systmone__mapping where known_to is null and not is_removed
), admission as (
  select distinct on (h.row_id) h.*
    from landing.systmone__hospital_admission h
    join landing.systmone__patient p
      on p.visible_to = h.visible_to and p.row_id = h.patient_id and p.known_to is null and not p.is_removed
   where h.known_to is null and not h.is_removed and landing.text_or_null(h.deleted_at) is null
   order by h.row_id, (h.organisation_code = h.visible_to) desc nulls last, h.visible_to
), ward as (
  select distinct on (w.visible_to, w.hospital_admission_and_discharge_id)
         w.visible_to, w.hospital_admission_and_discharge_id as admission_id, landing.label_of(w.place_name) as ward
    from landing.systmone__ward_stay w
   where w.known_to is null and not w.is_removed
   order by w.visible_to, w.hospital_admission_and_discharge_id, landing.moment_dmon(w.stay_start_at) desc nulls last,
            landing.number_or_null(w.row_id) desc
), delay as (
  select distinct on (d.visible_to, d.hospital_admission_and_discharge_id)
         d.visible_to, d.hospital_admission_and_discharge_id as admission_id,
         landing.moment_dmon(d.medically_ready_for_discharge_at)::date as ready_on,
         landing.moment_dmon(d.delay_start_at)::date as begins_on,
         landing.moment_dmon(d.delay_end_at)::date as ends_on,
         d.reason_for_delay, d.responsibility
    from landing.systmone__discharge_delay d
   where d.known_to is null and not d.is_removed
   order by d.visible_to, d.hospital_admission_and_discharge_id, landing.moment_dmon(d.delay_start_at) desc nulls last,
            landing.number_or_null(d.row_id) desc
)
select
  h.visible_to || ':' || h.patient_id as source_person_key,
  'hospital_stay:' || h.row_id as event_key,
  nullif(btrim(h.organisation_code), '') as organisation_code,
  'referral:' || landing.id_or_null(h.referral_id) as referral_event_key,
  landing.moment_dmon(h.admitted_at)::date as admission_date,
  landing.moment_dmon(h.discharged_at)::date as discharge_date,
  landing.moment_dmon(h.admission_created_at) at time zone 'Europe/London' as recorded_at,
  case when h.admission_method ~ '^ *-?[0-9]+ *$' then method.label else landing.label_of(h.admission_method) end
    as admission_method,
  case when h.source_of_admission ~ '^ *-?[0-9]+ *$' then origin.label
       else landing.label_of(h.source_of_admission) end as admission_source,
  case when h.destination_after_discharge ~ '^ *-?[0-9]+ *$' then destination.label
       else landing.label_of(h.destination_after_discharge) end as discharge_destination,
  ward.ward,
  delay.ready_on as ready_for_discharge_date,
  delay.begins_on as delay_start_date,
  delay.ends_on as delay_end_date,
  case when delay.reason_for_delay ~ '^ *-?[0-9]+ *$' then reason.label else landing.label_of(delay.reason_for_delay) end
    as delay_reason,
  case when delay.responsibility ~ '^ *-?[0-9]+ *$' then body.label else landing.label_of(delay.responsibility) end
    as delay_responsibility,
  case when landing.text_or_null(h.cancelled_at) is not null then 'cancelled'
       when landing.moment_dmon(h.discharged_at) is not null then 'completed'
       when landing.moment_dmon(h.admitted_at) is not null then 'open'
       else 'planned' end as status,
  'systmone__hospital_admission'::text as landed_dataset,
  h.version_id as landed_version_id
from admission h
left join ward on ward.visible_to = h.visible_to and ward.admission_id = h.row_id
left join delay on delay.visible_to = h.visible_to and delay.admission_id = h.row_id
left join list_item method on method.row_id = btrim(h.admission_method)
left join list_item origin on origin.row_id = btrim(h.source_of_admission)
left join list_item destination on destination.row_id = btrim(h.destination_after_discharge)
left join list_item reason on reason.row_id = btrim(delay.reason_for_delay)
left join list_item body on body.row_id = btrim(delay.responsibility)
