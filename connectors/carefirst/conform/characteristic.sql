-- One row per dated fact about a person. Key: event_key = 'characteristic:' and CLASS_ID. Rows with STATUS = DELETED
-- are soft deletions that the supplier still sends (QUIRKS 4); they were never true.
select
  'characteristic:' || btrim(c.classification_id) as event_key,
  btrim(c.person_id) as source_person_key,
  kind.name as kind,
  m.clean as value,
  landing.text_or_null(c.classification_code) as value_raw,
  landing.moment_dmon(c.start_date)::date as valid_from,
  landing.moment_dmon(c.end_date)::date as valid_to,
  'carefirst__classification'::text as landed_dataset,
  c.version_id as landed_version_id
from landing.carefirst__classification c
join (values
  ('PSR', 'primary_support_reason'), ('ACCOM', 'accommodation_status'), ('EMPLOY', 'employment_status'),
  ('CARER', 'has_unpaid_carer'), ('ASD', 'autism'), ('VISUAL', 'visual_impairment'), ('HEARING', 'hearing_impairment'),
  ('DEMENTIA', 'dementia'), ('FUNDING', 'client_funding_status'), ('CAREHOURS', 'hours_caring')
) as kind (classification_type, name) on kind.classification_type = upper(btrim(c.classification_type))
left join landing.code_map m on m.source = 'carefirst' and m.code_set = kind.name
      and m.raw = upper(btrim(c.classification_code))
where c.known_to is null and not c.is_removed and upper(btrim(coalesce(c.status, ''))) <> 'DELETED'
