-- One row per CareFirst address. Key: address_key = ADDRESS_ID. A postcode that stands in line 5 is moved to its place.
select
  btrim(a.person_id) as source_person_key,
  btrim(a.address_id) as address_key,
  case upper(btrim(a.address_type)) when 'HOME' then 'home' when 'PLAC' then 'placement' when 'TEMP' then 'temporary'
    end as address_type,
  landing.text_or_null(concat_ws(', ', nullif(btrim(a.address_line_1), ''), nullif(btrim(a.address_line_2), ''),
    nullif(btrim(a.address_line_3), ''), nullif(btrim(a.address_line_4), ''),
    case when not lines.has_postcode then nullif(btrim(a.address_line_5), '') end)) as line_text,
  coalesce(landing.text_or_null(a.postcode),
    landing.text_or_null(case when lines.has_postcode then a.address_line_5 end)) as postcode,
  landing.id_or_null(a.uprn) as uprn,
  landing.moment_dmon(a.start_date)::date as valid_from,
  landing.moment_dmon(a.end_date)::date as valid_to,
  'carefirst__address'::text as landed_dataset,
  a.version_id as landed_version_id
from landing.carefirst__address a,
     lateral (select landing.text_or_null(a.postcode) is null
                     and coalesce(a.address_line_5, '') ~* '[A-Z]{1,2}[0-9OI][0-9A-Z]? *[0-9OI][A-Z]{2} *$'
                     as has_postcode) as lines
where a.known_to is null and not a.is_removed
