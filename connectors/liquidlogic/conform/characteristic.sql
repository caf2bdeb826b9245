-- One row per dated fact about a person. Key: event_key = 'characteristic:' and FACT_PERSON_CHARACTERISTIC_ID, or
-- 'referral:' and FACT_REFERRAL_ID for the primary support reason, which the mart keeps on the referral.
-- A code that is not in its list means "Unknown" (F52); the code stays beside it.
with recorded as (
  select 'characteristic:' || c.characteristic_id as event_key, c.person_id, kind.clean as kind,
         c.characteristic_code as code, c.start_at, c.end_at, 'liquidlogic__characteristic' as landed_dataset, c.version_id
    from landing.liquidlogic__characteristic c
    inner join landing.code_map as kind
      on kind.source = 'liquidlogic' and kind.code_set = 'characteristic_kind'
         and kind.raw = upper(btrim(c.characteristic_type_code))
   where c.known_to is null and not c.is_removed
), reason as (
  select 'referral:' || r.referral_id as event_key, r.person_id, 'primary_support_reason' as kind,
         r.primary_support_reason_code as code, r.start_at, r.end_at, 'liquidlogic__referral' as landed_dataset, r.version_id
    from landing.liquidlogic__referral r where r.known_to is null and not r.is_removed
), fact as (
  select * from recorded
  union all
  select * from reason
)
select
  f.person_id as source_person_key,
  f.event_key,
  f.kind,
  coalesce(m.clean, 'Unknown') as value,
  landing.text_or_null(f.code) as value_raw,
  nullif(landing.moment_iso(f.start_at)::date, date '1900-01-01') as valid_from,
  nullif(landing.moment_iso(f.end_at)::date, date '1900-01-01') as valid_to,
  f.landed_dataset,
  f.version_id as landed_version_id
from fact f
left join landing.code_map as m
  on m.source = 'liquidlogic' and m.code_set = f.kind and m.raw = upper(btrim(f.code))
where landing.id_or_null(f.code) is not null and landing.id_or_null(f.person_id) is not null
