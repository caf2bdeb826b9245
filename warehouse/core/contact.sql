-- Visits and appointments of community health, as believed now. Grain and key: event_id.
with now as (
  select * from payload.contact where known_to is null
), member as (
  select source_record_id, person_id from identity.membership where known_to is null
)
select numbered.event_id,
       member.person_id,
       now.source,
       now.organisation_code,
       now.contact_type,
       referral.event_id as referral_event_id,
       now.start_at,
       now.is_date_only,
       now.duration_minutes,
       now.status,
       now.recorded_at,
       now.start_at as valid_from,
       now.start_at + coalesce(now.duration_minutes, 0) * interval '1 minute' as valid_to,
       now.landed_dataset,
       now.landed_version_id
  from now
  inner join member on member.source_record_id = now.source_record_id
  inner join core.event as numbered
    on numbered.kind = 'contact' and numbered.source = now.source and numbered.event_key = now.event_key
  left join core.event as referral
    on referral.kind = 'referral' and referral.source = now.source and referral.event_key = now.referral_event_key
