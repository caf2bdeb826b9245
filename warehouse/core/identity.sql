-- Which supplier records are which person, by which rule and how strongly. Grain and key: source_record_id.
-- The weight is rounded: digits beyond the fourth decimal say nothing and would make versions without a difference.
with record as (
  select source_record_id, source, is_client, is_carer, landed_dataset, landed_version_id
    from identity.record_outline where known_to is null
), member as (
  select source_record_id, person_id, reason from identity.membership where known_to is null
)
select member.person_id,
       record.source_record_id,
       record.source,
       record.is_client,
       record.is_carer,
       member.reason,
       round(strength.link_weight::numeric, 4)::double precision as link_weight,
       record.landed_dataset,
       record.landed_version_id
  from record
  inner join member on member.source_record_id = record.source_record_id
  left join identity.membership_strength as strength on strength.source_record_id = record.source_record_id
