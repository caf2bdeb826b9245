-- Assessments, as believed now. Grain and key: event_id.
with now as (
  select * from payload.assessment where known_to is null
), member as (
  select source_record_id, person_id from identity.membership where known_to is null
)
select numbered.event_id,
       member.person_id,
       now.source,
       now.client_type,
       now.start_date,
       now.end_date,
       now.recorded_at,
       now.assessment_type,
       now.assessment_type_raw,
       now.eligible_needs,
       now.method,
       now.method_raw,
       now.primary_support_reason,
       now.primary_support_reason_raw,
       now.outcomes,
       now.outcomes_raw,
       now.description,
       now.status,
       now.landed_dataset,
       now.landed_version_id
  from now
  inner join member on member.source_record_id = now.source_record_id
  inner join core.event as numbered
    on numbered.kind = 'assessment' and numbered.source = now.source and numbered.event_key = now.event_key
