-- One row per MiCare client number: who the file says somebody is. Key: source_person_key = CLIENT_NO.
-- XREF_CLIENT_NO points to the record that survived a merge, over several steps: duplicate_of_key is the last.
-- A circle of pointers has no survivor: its records stay as they are and MRG-001 counts them. Clerks also type
-- DUPLICATE into names: the word becomes a flag and leaves the name. A number is traced while a register entry NHSOK is
-- open. The address for linking is the one ADDR_KEY names, else the open one begun last.
with recursive client as (
  select c.*, btrim(c.client_no) as own, upper(btrim(c.status)) as state,
         nullif(regexp_replace(c.nhs_number, '[^0-9]', '', 'g'), '') as nhs_digits
    from landing.micare__client c
   where c.known_to is null and not c.is_removed
), pointer as (
  select c.own, landing.id_or_null(c.xref_client_no) as other
    from client c join client target on target.own = landing.id_or_null(c.xref_client_no)
), reached as (                         -- a set of pairs, so that a circle ends the search by itself
  select own, other from pointer
  union
  select r.own, p.other from reached r join pointer p on p.own = r.other
), survivor as (
  select r.own, r.other from reached r where not exists (select from pointer p where p.own = r.other)
), register as (
  select distinct btrim(client_no) as own, upper(btrim(episode_code)) as entry from landing.micare__episode
   where known_to is null and not is_removed and upper(btrim(episode_type)) = 'REG'
     and nullif(landing.day_ddmmyyyy(closed), date '1900-01-01') is null
), address as (
  select distinct on (a.own) a.own, landing.text_or_null(a.postcode) as postcode, landing.id_or_null(a.uprn) as uprn,
         landing.text_or_null(concat_ws(', ', nullif(btrim(a.line_1), ''), nullif(btrim(a.line_2), ''),
    nullif(btrim(a.line_3), ''))) as address_text
    from (select *, btrim(client_no) as own from landing.micare__address where known_to is null and not is_removed) a
    left join client c on c.own = a.own and btrim(c.address_key) = btrim(a.address_key)
   order by a.own, (c.own is not null) desc, (nullif(landing.day_ddmmyyyy(a.date_to), date '1900-01-01') is null) desc,
            landing.day_ddmmyyyy(a.date_from) desc nulls last, a.address_key desc
), former as (
  select distinct on (btrim(client_no)) btrim(client_no) as own, landing.text_or_null(subject) as surname
    from landing.micare__note_heading
   where known_to is null and not is_removed and upper(btrim(note_type)) = 'FNAME'
   order by btrim(client_no), landing.day_ddmmyyyy(note_date) desc nulls last, note_no desc
), carer as (
  select distinct btrim(carer_client_no) as own from landing.micare__carer where known_to is null and not is_removed
)
select
  c.own as source_person_key,
  null::text as title,  -- not recorded
  landing.text_or_null(regexp_replace(c.forename_1, '\m(DUPLICATE|DO NOT USE)\M', ' ', 'gi')) as forename,
  landing.text_or_null(c.forename_2) as middle_names,
  landing.text_or_null(regexp_replace(c.surname, '\m(DUPLICATE|DO NOT USE)\M', ' ', 'gi')) as surname,
  former.surname as previous_surname,
  landing.text_or_null(c.also_known_as) as known_as,
  case when landing.text_or_null(c.nhs_number) is not null then c.nhs_number end as nhs_number_supplied,
  case when c.nhs_digits is not null then traced.own is not null end as nhs_number_verified,
  landing.day_ddmmyyyy(c.dob) as birth_date,
  case upper(btrim(c.dob_flag)) when 'V' then false when 'E' then true when 'U' then true end as birth_date_estimated,
  landing.day_ddmmyyyy(c.died) as death_date,
  case upper(btrim(c.sex)) when 'M' then '1' when 'F' then '2' when 'I' then '9' end as sex,
  ethnicity.clean as ethnicity_code,
  address.postcode,
  address.address_text,
  address.uprn,
  landing.text_or_null(c.telephone) as telephone,
  null::text as email,  -- not recorded
  landing.id_or_null(c.gp_code) as gp_practice_code,
  upper(btrim(coalesce(c.client_group, ''))) not in ('CARER', 'OTHER') as is_client,
  (carer.own is not null or upper(btrim(c.client_group)) = 'CARER') as is_carer,
  restricted.own is not null as is_restricted,
  survivor.other as duplicate_of_key,
  (survivor.other is not null or (c.state = 'X' and pointer.own is null)
    or concat_ws(' ', c.forename_1, c.surname) ~* '\m(DUPLICATE|DO NOT USE)\M') as is_marked_duplicate,
  'micare__client'::text as landed_dataset,
  c.version_id as landed_version_id
from client c
left join pointer on pointer.own = c.own
left join survivor on survivor.own = c.own
left join register traced on traced.own = c.own and traced.entry = 'NHSOK'
left join register restricted on restricted.own = c.own and restricted.entry = 'RESTR'
left join address on address.own = c.own
left join former on former.own = c.own
left join carer on carer.own = c.own
left join landing.code_map ethnicity
       on ethnicity.source = 'micare' and ethnicity.code_set = 'ethnicity'
      and ethnicity.raw = upper(btrim(c.ethnic_code))
