-- One row per MiCare address. Key: address_key = ADDR_KEY. 'XXX' and the like stand as they were typed.
select
  btrim(a.client_no) as source_person_key,
  btrim(a.address_key) as address_key,
  case upper(btrim(a.address_type)) when 'H' then 'home' when 'P' then 'placement' when 'T' then 'temporary'
    end as address_type,
  landing.text_or_null(concat_ws(', ', nullif(btrim(a.line_1), ''), nullif(btrim(a.line_2), ''),
    nullif(btrim(a.line_3), ''))) as line_text,
  landing.text_or_null(a.postcode) as postcode,
  landing.id_or_null(a.uprn) as uprn,
  landing.day_ddmmyyyy(a.date_from) as valid_from,
  nullif(landing.day_ddmmyyyy(a.date_to), date '1900-01-01') as valid_to,
  'micare__address'::text as landed_dataset,
  a.version_id as landed_version_id
from landing.micare__address a
where a.known_to is null and not a.is_removed
