-- One row per id of another system, or former surname, that staff put into a note's heading because no field was made
-- for it (QUIRKS 9). Key: reference_key = person, type, value.
select distinct on (reference_key)
  source_person_key, reference_key, reference_type, reference_value, valid_from, valid_to, landed_dataset,
  landed_version_id
from (
  select
    btrim(n.client_no) as source_person_key,
    btrim(n.client_no) || '|' || named.kind || '|' || upper(named.value) as reference_key,
    case named.kind when 'FNAME' then 'former_surname' when 'SYSTMONE' then 'systmone_key'
      when 'LIQUIDLOGIC' then 'liquidlogic_key' when 'CAREFIRST' then 'carefirst_key' end as reference_type,
    landing.id_or_null(named.value) as reference_value,
    landing.day_ddmmyyyy(n.note_date) as valid_from,
    null::date as valid_to,
    'micare__note_heading'::text as landed_dataset,
    n.version_id as landed_version_id
  from landing.micare__note_heading n,
       lateral (select upper(btrim(n.note_type)) as note_type, landing.text_or_null(n.subject) as subject) as note,
       lateral (select case when note.note_type = 'EXTNO' then upper(split_part(note.subject, ' ', 1))
                            else note.note_type end as kind,
                       case when note.note_type = 'EXTNO' then split_part(note.subject, ' ', 2)
                            else note.subject end as value) as named
  where n.known_to is null and not n.is_removed and note.note_type in ('FNAME', 'EXTNO')
) as told
where reference_value is not null and reference_type is not null
order by reference_key, landed_version_id
