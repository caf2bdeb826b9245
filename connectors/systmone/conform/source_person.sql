-- One row per SystmOne patient and view: who the community record says somebody is.
-- Key: source_person_key = visible_to, colon, row_id (the supplier's key is the pair, sources 2.4).
-- Ethnicity is the latest informative coded entry (2.7); the postcode is that of the open home address begun last; the
-- practice is the open registration whose organisation has the code of a GP practice.
with patient as (
  select p.*, p.visible_to || ':' || p.row_id as source_person_key
    from landing.systmone__patient p
   where p.known_to is null and not p.is_removed
), list_item as (
  select row_id, item_text from landing.systmone__mapping where known_to is null and not is_removed
), ethnicity as (
  select distinct on (c.visible_to, c.patient_id) c.visible_to, c.patient_id, m.clean as ethnicity_code
    from landing.systmone__code c
    join landing.code_map m
      on m.source = 'systmone' and m.code_set = 'ethnicity' and m.raw = upper(btrim(c.ctv3_code))
   where c.known_to is null and not c.is_removed
   order by c.visible_to, c.patient_id, (m.clean in ('Z', '99')), landing.moment_dmon(c.recorded_at) desc nulls last,
            landing.moment_dmon(c.event_at) desc nulls last, landing.number_or_null(c.row_id) desc
), address as (
  select distinct on (a.visible_to, a.patient_id) a.visible_to, a.patient_id,
         landing.text_or_null(a.postcode) as postcode,
         landing.text_or_null(concat_ws(', ', nullif(btrim(a.building_name), ''), nullif(btrim(a.building_number), ''),
           nullif(btrim(a.road), ''), nullif(btrim(a.locality), ''), nullif(btrim(a.town), ''),
           nullif(btrim(a.county), ''))) as address_text
    from landing.systmone__patient_address a
    left join list_item kind on kind.row_id = a.address_type_id
   where a.known_to is null and not a.is_removed and kind.item_text is distinct from 'Correspondence only'
   order by a.visible_to, a.patient_id, (landing.moment_dmon(a.ended_at) is null) desc,
            (kind.item_text = 'Home') desc nulls last, landing.moment_dmon(a.ended_at) desc,
            landing.moment_dmon(a.event_at) desc nulls last, landing.number_or_null(a.row_id) desc
), telephone as (
  select distinct on (t.visible_to, t.patient_id) t.visible_to, t.patient_id,
         landing.text_or_null(t.contact_number) as telephone
    from landing.systmone__patient_contact t
    left join list_item kind on kind.row_id = t.contact_type_id
   where t.known_to is null and not t.is_removed and landing.text_or_null(t.contact_number) is not null
     -- numbers of work places, relatives and machines would join people who are not one
     and coalesce(kind.item_text, 'Alternate') in ('Home', 'Mobile', 'Alternate', 'Temporary')
   order by t.visible_to, t.patient_id, array_position(array['Mobile', 'Home'], kind.item_text),
            landing.moment_dmon(t.recorded_at) desc nulls last, landing.number_or_null(t.row_id) desc
), practice as (
  select distinct on (r.visible_to, r.patient_id) r.visible_to, r.patient_id,
         upper(btrim(r.organisation_code)) as gp_practice_code
    from landing.systmone__patient_registration r
   where r.known_to is null and not r.is_removed and upper(btrim(r.organisation_code)) ~ '^[A-Z][0-9]{5}$'
     and landing.text_or_null(r.deregistration_at) is null
   order by r.visible_to, r.patient_id, landing.moment_dmon(r.registration_at) desc nulls last,
            landing.number_or_null(r.row_id) desc
)
select
  p.source_person_key,
  landing.text_or_null(p.title) as title,
  landing.text_or_null(p.forename) as forename,
  landing.text_or_null(p.middle_names) as middle_names,
  landing.text_or_null(p.surname) as surname,
  landing.text_or_null(p.previous_surname) as previous_surname,
  null::text as known_as,                                    -- SRPatient has no such column
  case when landing.text_or_null(p.nhs_number) is not null then p.nhs_number end as nhs_number_supplied,
  -- confirmed with the national service counts as status 01; false or blank: present, not verified (2.7)
  case when landing.text_or_null(p.nhs_number) is not null
       then coalesce(upper(btrim(p.is_spine_matched)) = 'TRUE', false) end as nhs_number_verified,
  landing.moment_dmon(p.birth_at)::date as birth_date,       -- a date with a time for newborns (2.7)
  null::boolean as birth_date_estimated,                     -- not said
  landing.moment_dmon(p.death_at)::date as death_date,
  case upper(btrim(p.gender)) when 'M' then '1' when 'F' then '2' when 'I' then '9' end as sex,
  ethnicity.ethnicity_code,
  address.postcode,
  address.address_text,
  null::text as uprn,                                        -- not sent (2.7)
  telephone.telephone,
  landing.text_or_null(p.email) as email,
  practice.gp_practice_code,
  true as is_client,
  false as is_carer,
  false as is_restricted,                                    -- no such flag in the extract
  null::text as duplicate_of_key,                            -- a merge shows as a removed record, not as a pointer
  false as is_marked_duplicate,
  'systmone__patient'::text as landed_dataset,
  p.version_id as landed_version_id
from patient p
left join ethnicity on ethnicity.visible_to = p.visible_to and ethnicity.patient_id = p.row_id
left join address on address.visible_to = p.visible_to and address.patient_id = p.row_id
left join telephone on telephone.visible_to = p.visible_to and telephone.patient_id = p.row_id
left join practice on practice.visible_to = p.visible_to and practice.patient_id = p.row_id
