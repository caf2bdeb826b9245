-- Referrals to community health, as believed now. Grain and key: event_id.
with now as (
  select * from payload.referral where known_to is null
), member as (
  select source_record_id, person_id from identity.membership where known_to is null
)
select numbered.event_id,
       member.person_id,
       now.source,
       now.organisation_code,
       now.referral_date,
       now.discharge_date,
       now.recorded_at,
       now.referral_source,
       now.service,
       now.urgency,
       now.primary_reason,
       now.discharge_reason,
       now.landed_dataset,
       now.landed_version_id
  from now
  inner join member on member.source_record_id = now.source_record_id
  inner join core.event as numbered
    on numbered.kind = 'referral' and numbered.source = now.source and numbered.event_key = now.event_key
