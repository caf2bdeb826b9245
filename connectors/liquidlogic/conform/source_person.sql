-- One row per Liquidlogic person: who the mart says somebody is. Key: source_person_key = DIM_PERSON_ID.
-- 1900-01-01 stands for "no date" (QUIRKS 2). Records that lost a merge stay, marked, with the one that survives at the
-- end of the chain; records that name each other in a circle have no survivor (QUIRKS 6).
-- The address for linking is the open home or placement begun last, else the last that ended.
with recursive current_person as (
  select *, landing.text_or_null(nhs_number) as nhs_number_text, landing.moment_iso(duplicated_at) as duplicated_moment
    from landing.liquidlogic__person where known_to is null and not is_removed
), merged as (
  select person_id, landing.id_or_null(duplicate_of_person_id) as into_id from current_person
   where coalesce(duplicated_moment::date <> date '1900-01-01', false)
     and landing.id_or_null(duplicate_of_person_id) is not null
), chain as (
  select person_id, into_id, array[person_id] as passed, into_id = person_id as is_circle from merged
  union all
  select c.person_id, m.into_id, c.passed || c.into_id, m.into_id = any(c.passed || c.into_id)
    from chain c join merged m on m.person_id = c.into_id where not c.is_circle
), survivor as (
  select distinct on (person_id) person_id, case when not is_circle then into_id end as survivor_id
    from chain order by person_id, cardinality(passed) desc
), address as (
  select distinct on (person_id) person_id, postcode, uprn,
         concat_ws(', ', landing.text_or_null(room_number), landing.text_or_null(flat_number),
           landing.text_or_null(building),
           landing.text_or_null(concat_ws(' ', landing.text_or_null(house_number), landing.text_or_null(street))),
           landing.text_or_null(town)) as address_text
    from landing.liquidlogic__person_address
   where known_to is null and not is_removed and upper(btrim(address_type_code)) <> 'CORRESP'
   order by person_id, (nullif(landing.moment_iso(end_at)::date, date '1900-01-01') is null) desc,
            landing.moment_iso(end_at) desc, landing.moment_iso(start_at) desc nulls last, address_id::bigint desc
), practice as (
  select distinct on (person_id) person_id, landing.id_or_null(practice_code) as practice_code
    from landing.liquidlogic__person_gp
   where known_to is null and not is_removed and nullif(landing.moment_iso(end_at)::date, date '1900-01-01') is null
   order by person_id, landing.moment_iso(start_at) desc nulls last, registration_id::bigint desc
), contact_detail as (
  select distinct on (person_id, kind) person_id, upper(btrim(contact_type_code)) as kind,
         landing.text_or_null(contact_value) as contact_value
    from landing.liquidlogic__person_contact_detail
   where known_to is null and not is_removed and nullif(landing.moment_iso(end_at)::date, date '1900-01-01') is null
   order by person_id, kind, landing.moment_iso(start_at) desc nulls last, contact_detail_id::bigint desc
), former as (
  select distinct on (person_id) person_id, landing.text_or_null(surname) as surname
    from landing.liquidlogic__person_alias
   where known_to is null and not is_removed and upper(btrim(alias_type_code)) = 'FORMER'
   order by person_id, landing.moment_iso(start_at) desc nulls last, alias_id::bigint desc
)
select
  p.person_id as source_person_key,
  landing.text_or_null(p.title_code) as title,
  landing.text_or_null(p.forename) as forename,
  landing.text_or_null(p.middle_names) as middle_names,
  landing.text_or_null(p.surname) as surname,
  former.surname as previous_surname,
  landing.text_or_null(p.preferred_name) as known_as,
  case when p.nhs_number_text is not null then p.nhs_number end as nhs_number_supplied,
  case when p.nhs_number_text is not null
    then coalesce(btrim(p.nhs_number_status_code), '') = '01' end as nhs_number_verified,
  nullif(landing.moment_iso(p.birth_at)::date, date '1900-01-01') as birth_date,
  case when upper(btrim(p.is_birth_date_estimated)) in ('Y', 'YES', 'TRUE', '1') then true
       when upper(btrim(p.is_birth_date_estimated)) in ('N', 'NO', 'FALSE', '0') then false
  end as birth_date_estimated,
  nullif(landing.moment_iso(p.death_at)::date, date '1900-01-01') as death_date,
  nullif(gender.clean, '') as sex,
  ethnicity.clean as ethnicity_code,
  case when landing.text_or_null(address.postcode) is not null then address.postcode end as postcode,
  nullif(address.address_text, '') as address_text,
  landing.id_or_null(address.uprn) as uprn,
  telephone.contact_value as telephone,
  email.contact_value as email,
  practice.practice_code as gp_practice_code,
  coalesce(upper(btrim(p.is_client)), '') in ('Y', 'YES', 'TRUE', '1') as is_client,
  coalesce(upper(btrim(p.is_carer)), '') in ('Y', 'YES', 'TRUE', '1') as is_carer,
  coalesce(upper(btrim(p.is_restricted)), '') in ('Y', 'YES', 'TRUE', '1') as is_restricted,
  survivor.survivor_id as duplicate_of_key,
  duplicated.is_marked as is_marked_duplicate,
  'liquidlogic__person' as landed_dataset,
  p.version_id as landed_version_id
from current_person p
cross join lateral (
  select coalesce(p.duplicated_moment::date <> date '1900-01-01', false) as is_marked
) as duplicated
left join survivor on survivor.person_id = p.person_id
left join address on address.person_id = p.person_id
left join practice on practice.person_id = p.person_id
left join contact_detail as telephone on telephone.person_id = p.person_id and telephone.kind = 'PHONE'
left join contact_detail as email on email.person_id = p.person_id and email.kind = 'EMAIL'
left join former on former.person_id = p.person_id
left join landing.code_map as gender
  on gender.source = 'liquidlogic' and gender.code_set = 'gender' and gender.raw = upper(btrim(p.gender_code))
left join landing.code_map as ethnicity
  on ethnicity.source = 'liquidlogic' and ethnicity.code_set = 'ethnicity'
     and ethnicity.raw = upper(btrim(p.ethnicity_code))
