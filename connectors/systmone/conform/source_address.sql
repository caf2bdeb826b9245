-- One row per address episode of a patient who is still in the view. Key: address_key = visible_to, colon, row_id.
-- building_number often holds number and street together (sources 2.7); the joined line reads the same either way.
with list_item as (
  select row_id, item_text from landing.systmone__mapping where known_to is null and not is_removed
)
select
  p.visible_to || ':' || p.row_id as source_person_key,
  a.visible_to || ':' || a.row_id as address_key,
  coalesce(kind.clean, 'home') as address_type,
  landing.text_or_null(concat_ws(', ', nullif(btrim(a.building_name), ''), nullif(btrim(a.building_number), ''),
    nullif(btrim(a.road), ''), nullif(btrim(a.locality), ''), nullif(btrim(a.town), ''), nullif(btrim(a.county), '')))
    as line_text,
  landing.text_or_null(a.postcode) as postcode,
  null::text as uprn,
  landing.moment_dmon(a.event_at)::date as valid_from,
  landing.moment_dmon(a.ended_at)::date as valid_to,
  'systmone__patient_address'::text as landed_dataset,
  a.version_id as landed_version_id
from landing.systmone__patient_address a
join landing.systmone__patient p
  on p.visible_to = a.visible_to and p.row_id = a.patient_id and p.known_to is null and not p.is_removed
left join list_item item on item.row_id = a.address_type_id
left join landing.code_map kind
  on kind.source = 'systmone' and kind.code_set = 'address_type' and kind.raw = upper(btrim(item.item_text))
where a.known_to is null and not a.is_removed
