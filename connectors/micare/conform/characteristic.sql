-- One row per dated fact about a person: episodes whose type is the kind of fact. Key: event_key = 'characteristic:'
-- and EPISODE_NO. They have STARTED and no OPENED.
select
  'characteristic:' || btrim(e.episode_no) as event_key,
  btrim(e.client_no) as source_person_key,
  kind.name as kind,
  m.clean as value,
  landing.text_or_null(e.episode_code) as value_raw,
  landing.day_ddmmyyyy(e.started) as valid_from,
  nullif(landing.day_ddmmyyyy(e.closed), date '1900-01-01') as valid_to,
  'micare__episode'::text as landed_dataset,
  e.version_id as landed_version_id
from landing.micare__episode e
join (values
  ('PSR', 'primary_support_reason'), ('ACCOM', 'accommodation_status'), ('EMPLOY', 'employment_status'),
  ('CARER', 'has_unpaid_carer'), ('ASD', 'autism'), ('VISUAL', 'visual_impairment'), ('HEARING', 'hearing_impairment'),
  ('DEMENTIA', 'dementia'), ('FUNDING', 'client_funding_status'), ('CAREHRS', 'hours_caring')
) as kind (episode_type, name) on kind.episode_type = upper(btrim(e.episode_type))
left join landing.code_map m on m.source = 'micare' and m.code_set = kind.name and m.raw = upper(btrim(e.episode_code))
where e.known_to is null and not e.is_removed
