-- One row per CareFirst person: who the council's file says somebody is. Key: source_person_key = PERSON_ID.
-- Clerks type DUPLICATE or DO NOT USE into names (QUIRKS 1): the words become a flag and leave the name. FORENAMES
-- holds all given names. The address for linking is the open home or placement begun last, else the last that ended.
with current_person as (
  select p.*, concat_ws(' ', p.forenames, p.surname) ~* '\m(DUPLICATE|DO NOT USE)\M' as is_marked,
         landing.text_or_null(regexp_replace(p.forenames, '\m(DUPLICATE|DO NOT USE)\M', ' ', 'gi')) as given_names,
         landing.text_or_null(regexp_replace(p.surname, '\m(DUPLICATE|DO NOT USE)\M', ' ', 'gi')) as family_name,
         nullif(regexp_replace(p.nhs_number, '[^0-9]', '', 'g'), '') as nhs_digits
    from landing.carefirst__person p
   where p.known_to is null and not p.is_removed
     and p.person_id !~ '^ *(9999[0-9]{3}|[0-9]{1,2}) *$'                -- training people (QUIRKS 3)
), reference as (
  select btrim(person_id) as person_id, upper(btrim(reference_type)) as reference_type,
         landing.text_or_null(reference_number) as reference_number, landing.moment_dmon(start_date) as start_at
    from landing.carefirst__reference where known_to is null and not is_removed
), latest_reference as (
  select distinct on (person_id, reference_type) person_id, reference_type, reference_number
    from reference order by person_id, reference_type, start_at desc nulls last, reference_number desc
), traced as (
  select distinct person_id, reference_number as nhs_digits from reference where reference_type = 'NHS_TRACED'
), address as (
  select distinct on (btrim(person_id)) btrim(person_id) as person_id,
         coalesce(landing.text_or_null(postcode),
           landing.text_or_null(case when lines.has_postcode then address_line_5 end)) as postcode,
         landing.text_or_null(concat_ws(', ', nullif(btrim(address_line_1), ''), nullif(btrim(address_line_2), ''),
           nullif(btrim(address_line_3), ''), nullif(btrim(address_line_4), ''),
           case when not lines.has_postcode then nullif(btrim(address_line_5), '') end)) as address_text,
         landing.id_or_null(uprn) as uprn
    from landing.carefirst__address,
         lateral (select landing.text_or_null(postcode) is null
                         and coalesce(address_line_5, '') ~* '[A-Z]{1,2}[0-9OI][0-9A-Z]? *[0-9OI][A-Z]{2} *$'
                         as has_postcode) as lines
   where known_to is null and not is_removed
   order by btrim(person_id), (landing.moment_dmon(end_date) is null) desc,
            (upper(btrim(address_type)) in ('HOME', 'PLAC')) desc, landing.moment_dmon(end_date) desc,
            landing.moment_dmon(start_date) desc nulls last, address_id desc
), carer as (
  select btrim(person_id) as person_id from landing.carefirst__relationship
   where known_to is null and not is_removed and upper(btrim(relationship_type)) = 'CARE'
  union
  select btrim(related_person_id) from landing.carefirst__relationship
   where known_to is null and not is_removed and upper(btrim(relationship_type)) = 'CFBY'
  union
  select btrim(person_id) from landing.carefirst__observation
   where known_to is null and not is_removed and upper(btrim(observation_code)) = 'CLIENTTYPE'
     and upper(btrim(observation_value)) = 'UC'
)
select
  btrim(p.person_id) as source_person_key,
  landing.text_or_null(p.title) as title,
  split_part(p.given_names, ' ', 1) as forename,
  nullif(substr(p.given_names, length(split_part(p.given_names, ' ', 1)) + 2), '') as middle_names,
  p.family_name as surname,
  former.reference_number as previous_surname,
  landing.text_or_null(p.known_as) as known_as,
  case when landing.text_or_null(p.nhs_number) is not null then p.nhs_number end as nhs_number_supplied,
  case when p.nhs_digits is not null then traced.person_id is not null end as nhs_number_verified,
  landing.moment_dmon(p.date_of_birth)::date as birth_date,
  case upper(btrim(p.date_of_birth_estimated)) when 'Y' then true when 'N' then false end as birth_date_estimated,
  landing.moment_dmon(p.date_of_death)::date as death_date,
  case upper(btrim(p.sex)) when 'M' then '1' when 'F' then '2' when 'I' then '9' end as sex,
  ethnicity.clean as ethnicity_code,
  address.postcode,
  address.address_text,
  address.uprn,
  null::text as telephone,
  null::text as email,
  practice.reference_number as gp_practice_code,
  upper(btrim(coalesce(p.client_flag, ''))) = 'Y' as is_client,
  carer.person_id is not null as is_carer,
  upper(btrim(coalesce(p.restricted_flag, ''))) = 'Y' as is_restricted,
  null::text as duplicate_of_key,  -- not said
  p.is_marked as is_marked_duplicate,
  'carefirst__person'::text as landed_dataset,
  p.version_id as landed_version_id
from current_person p
left join traced on traced.person_id = btrim(p.person_id) and traced.nhs_digits = p.nhs_digits
left join latest_reference former on former.person_id = btrim(p.person_id) and former.reference_type = 'FORMER_NAME'
left join latest_reference practice
       on practice.person_id = btrim(p.person_id) and practice.reference_type = 'GP_PRACTICE'
left join landing.code_map ethnicity on ethnicity.source = 'carefirst' and ethnicity.code_set = 'ethnicity'
      and ethnicity.raw = upper(btrim(p.ethnic_origin))
left join address on address.person_id = btrim(p.person_id)
left join carer on carer.person_id = btrim(p.person_id)
