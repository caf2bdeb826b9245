-- Who the two systems hold, without anything that tells who it is. Grain: one row per record of either system.
select p.source_record_id as record_id,
       p.source,
       p.source_person_key as person_key,
       m.person_id,
       p.is_client,
       p.is_carer,
       p.is_restricted,
       p.is_marked_duplicate,
       coalesce(p.death_date <= {day}, false) as is_deceased,
       (select min(f.known_from) from identity.source_person f
         where f.source = p.source and f.source_person_key = p.source_person_key)::date as first_known,
       (select count(*) from identity.source_address a
         where a.source = p.source and a.source_person_key = p.source_person_key and {known:a}) as addresses
  from identity.source_person p
  left join identity.membership m on m.source_record_id = p.source_record_id and m.known_to is null
 where p.source in ({old}, {new}) and {known:p}
