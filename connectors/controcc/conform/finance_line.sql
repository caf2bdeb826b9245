-- One row per funded line. Key: event_key = 'line:' and CarePackageLineItemID. What it pays for in the case system is
-- named by external_event_key; digits only, because the feed sometimes puts letters in front (QUIRKS 4).
-- 1900-01-01 is "no date".
select
  l.client_id as source_person_key,
  'line:' || l.line_id as event_key,
  'service:' || nullif(regexp_replace(coalesce(landing.id_or_null(l.external_reference), ''), '[^0-9]', '', 'g'), '')
    as external_event_key,
  nullif(landing.moment_iso(l.start_at)::date, date '1900-01-01') as start_date,
  nullif(landing.moment_iso(l.end_at)::date, date '1900-01-01') as end_date,
  landing.number_or_null(l.units_planned)::numeric(18, 2) as planned_units,
  landing.text_or_null(l.units_planned) as planned_units_raw,
  landing.number_or_null(l.unit_cost)::numeric(18, 2) as unit_cost,
  landing.text_or_null(l.unit_cost) as unit_cost_raw,
  frequency.clean as cost_frequency,
  landing.text_or_null(l.frequency_code) as cost_frequency_raw,
  kind.clean as service_type,
  landing.text_or_null(s.service_type_code) as service_type_raw,
  landing.text_or_null(p.name) as provider_name,
  landing.id_or_null(p.cqc_location_id) as cqc_location_id,
  coalesce(status.clean,
    case when nullif(landing.moment_iso(l.end_at)::date, date '1900-01-01') is null then 'open' else 'completed' end)
    as status,
  'controcc__care_package_line' as landed_dataset,
  l.version_id as landed_version_id
from landing.controcc__care_package_line l
left join landing.controcc__service as s on s.service_id = l.service_id and s.known_to is null and not s.is_removed
left join landing.controcc__provider as p on p.provider_id = l.provider_id and p.known_to is null and not p.is_removed
left join landing.code_map as frequency
  on frequency.source = 'controcc' and frequency.code_set = 'cost_frequency' and frequency.raw = upper(btrim(l.frequency_code))
left join landing.code_map as kind
  on kind.source = 'controcc' and kind.code_set = 'service_type' and kind.raw = upper(btrim(s.service_type_code))
left join landing.code_map as status
  on status.source = 'controcc' and status.code_set = 'line_status' and status.raw = upper(btrim(l.status_code))
where l.known_to is null and not l.is_removed and landing.id_or_null(l.client_id) is not null
