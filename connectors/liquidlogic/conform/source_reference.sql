-- One row per other system's id typed into the mart, and per former or also-known-as name.
-- Key: reference_key = 'reference:' or 'alias:' and the mart's id. National insurance and finance numbers are left where
-- they are: nothing here needs them. LEGACY_ID is an old system's id only where the source's setting says so (QUIRKS 16):
-- zeros and check letter that somebody left out are put back where that is safe. Key: 'legacy:' and DIM_PERSON_ID.
with reference as (
  select 'reference:' || r.reference_id as reference_key, r.person_id, kind.clean as reference_type,
         landing.id_or_null(r.reference_value) as reference_value, r.start_at, r.end_at,
         'liquidlogic__person_reference' as landed_dataset, r.version_id
    from landing.liquidlogic__person_reference r
    inner join landing.code_map as kind
      on kind.source = 'liquidlogic' and kind.code_set = 'reference_type'
         and kind.raw = upper(btrim(r.reference_type_code))
   where r.known_to is null and not r.is_removed
), alias as (
  select 'alias:' || n.alias_id as reference_key, n.person_id, kind.clean as reference_type,
         landing.text_or_null(case when kind.clean = 'former_surname' then n.surname
           else concat_ws(' ', n.forename, n.surname) end) as reference_value, n.start_at, n.end_at,
         'liquidlogic__person_alias' as landed_dataset, n.version_id
    from landing.liquidlogic__person_alias n
    inner join landing.code_map as kind
      on kind.source = 'liquidlogic' and kind.code_set = 'alias_type' and kind.raw = upper(btrim(n.alias_type_code))
   where n.known_to is null and not n.is_removed
), legacy as (
  select 'legacy:' || p.person_id as reference_key, p.person_id,
         split_part(current_setting('onestory.option_legacy_id', true), ':', 2) || '_key' as reference_type,
         coalesce(case when current_setting('onestory.option_legacy_id', true) = 'old_system:micare'
           then landing.micare_person_number(regexp_replace(landing.id_or_null(p.legacy_id), '^[^0-9]+', '')) end,
           landing.id_or_null(p.legacy_id)) as reference_value,
         p.created_at as start_at, null as end_at, 'liquidlogic__person' as landed_dataset, p.version_id
    from landing.liquidlogic__person p
   where p.known_to is null and not p.is_removed
     and current_setting('onestory.option_legacy_id', true) like 'old\_system:%'
), both_kinds as (
  select * from reference
  union all
  select * from alias
  union all
  select * from legacy
)
select
  b.person_id as source_person_key,
  b.reference_key,
  b.reference_type,
  b.reference_value,
  nullif(landing.moment_iso(b.start_at)::date, date '1900-01-01') as valid_from,
  nullif(landing.moment_iso(b.end_at)::date, date '1900-01-01') as valid_to,
  b.landed_dataset,
  b.version_id as landed_version_id
from both_kinds b
where b.reference_value is not null
