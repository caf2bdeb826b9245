-- One row per safeguarding case, and per protection plan of an adult at risk.
-- Key: event_key = 'safeguarding:' or 'at_risk:' and row_id. The layout of the cases is invented (sources 2.9: their columns
-- are not public), and says nothing of the kind of enquiry; child protection is not for adult social care.
with list_item as (
  select row_id, landing.label_of(item_text) as label
    from landing.systmone__mapping where known_to is null and not is_removed
), patient as (
  select visible_to, row_id from landing.systmone__patient where known_to is null and not is_removed
), told as (
  select 'safeguarding'::text as kind, c.visible_to, c.patient_id, c.row_id, c.organisation_code,
         coalesce(landing.moment_dmon(c.event_at), landing.moment_dmon(c.opened_at))::date as concern_date,
         landing.moment_dmon(c.opened_at)::date as enquiry_start_date,
         landing.moment_dmon(c.closed_at)::date as concluded_date,
         c.outcome, c.case_status, landing.moment_dmon(c.recorded_at) as recorded,
         'systmone__safeguarding_case'::text as landed_dataset, c.version_id
    from landing.systmone__safeguarding_case c
   where c.known_to is null and not c.is_removed
   union all
  select 'at_risk', r.visible_to, r.patient_id, r.row_id, r.organisation_code, landing.moment_dmon(r.added_at)::date,
         null, landing.moment_dmon(r.removed_at)::date, null, null, landing.moment_dmon(r.added_at),
         'systmone__person_at_risk', r.version_id
    from landing.systmone__person_at_risk r
   where r.known_to is null and not r.is_removed
), seen_once as (
  select distinct on (t.kind, t.row_id) t.*
    from told t join patient p on p.visible_to = t.visible_to and p.row_id = t.patient_id
   order by t.kind, t.row_id, (t.organisation_code = t.visible_to) desc nulls last, t.visible_to
), labelled as (
  select s.*,
         case when s.outcome ~ '^ *-?[0-9]+ *$' then outcome.label else landing.label_of(s.outcome) end as outcome_label,
         case when s.case_status ~ '^ *-?[0-9]+ *$' then status.label else landing.label_of(s.case_status) end
           as status_label
    from seen_once s
    left join list_item outcome on outcome.row_id = btrim(s.outcome)
    left join list_item status on status.row_id = btrim(s.case_status)
)
select
  l.visible_to || ':' || l.patient_id as source_person_key,
  l.kind || ':' || l.row_id as event_key,
  l.concern_date,
  l.enquiry_start_date,
  l.concluded_date,
  l.recorded at time zone 'Europe/London' as recorded_at,
  null::text as enquiry_type,
  null::text as enquiry_type_raw,
  risk.clean as risk_outcome,
  l.outcome_label as risk_outcome_raw,
  null::text as msp_asked,
  null::text as msp_asked_raw,
  case when l.status_label ilike '%error%' or l.status_label ilike 'cancel%' then 'cancelled'
       when l.concluded_date is not null then 'completed'
       else 'open' end as case_status,
  l.landed_dataset,
  l.version_id as landed_version_id
from labelled l
left join landing.code_map risk
  on risk.source = 'systmone' and risk.code_set = 'risk_outcome' and risk.raw = upper(l.outcome_label)
