-- Assessments of the pinned release, as the return needs them. Grain and key: source and event_key.
select event_reference as event_key,
       source,
       person_id,
       client_type,
       start_date,
       end_date,
       status,
       primary_support_reason,
       primary_support_reason_raw,
       outcomes,
       outcomes_raw,
       description,
       assessment_type,
       assessment_type_raw,
       eligible_needs,
       method,
       method_raw
  from returns.assessment
