-- Where an old and a new record are one person: do they say the same? Only the answers leave the identity zone: equal,
-- differs, lost (old had it, new has none), gained, neither. Grain: one row per pair of records.
with side as (
  select p.source, p.source_record_id, p.source_person_key, m.person_id,
         nullif(regexp_replace(coalesce(p.nhs_number_supplied, ''), '[^0-9]', '', 'g'), '') as nhs_number,
         nullif(upper(regexp_replace(coalesce(p.surname, ''), '[^A-Za-z]', '', 'g')), '') as surname,
         p.birth_date::text as birth_date,
         nullif(upper(regexp_replace(coalesce(p.postcode, ''), '[^A-Za-z0-9]', '', 'g')), '') as postcode
    from identity.source_person p
    inner join identity.membership m on m.source_record_id = p.source_record_id and m.known_to is null
   where p.source in ({old}, {new}) and {known:p}
)
select o.person_id,
       o.source_record_id as old_record,
       o.source_person_key as old_key,
       n.source_record_id as new_record,
       n.source_person_key as new_key,
       {compared:nhs_number} as nhs_number,
       {compared:surname} as surname,
       {compared:birth_date} as birth_date,
       {compared:postcode} as postcode
  from side o
  inner join side n on n.person_id = o.person_id and n.source = {new}
 where o.source = {old}
