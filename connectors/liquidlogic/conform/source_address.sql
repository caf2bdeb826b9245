-- One row per address row of the mart. Key: address_key = DIM_PERSON_ADDRESS_ID.
-- An end before the start (QUIRKS 8) is kept as it stands; 1900-01-01 is "no date".
select
  a.person_id as source_person_key,
  a.address_id as address_key,
  kind.clean as address_type,
  nullif(concat_ws(', ', landing.text_or_null(a.room_number), landing.text_or_null(a.flat_number),
    landing.text_or_null(a.building),
    landing.text_or_null(concat_ws(' ', landing.text_or_null(a.house_number), landing.text_or_null(a.street))),
    landing.text_or_null(a.town)), '') as line_text,
  case when landing.text_or_null(a.postcode) is not null then a.postcode end as postcode,
  landing.id_or_null(a.uprn) as uprn,
  nullif(landing.moment_iso(a.start_at)::date, date '1900-01-01') as valid_from,
  nullif(landing.moment_iso(a.end_at)::date, date '1900-01-01') as valid_to,
  'liquidlogic__person_address' as landed_dataset,
  a.version_id as landed_version_id
from landing.liquidlogic__person_address a
left join landing.code_map as kind
  on kind.source = 'liquidlogic' and kind.code_set = 'address_type' and kind.raw = upper(btrim(a.address_type_code))
where a.known_to is null and not a.is_removed
