-- Case notes of each person; their texts are never extracted.
select person_id as person_key, count(*) as notes
  from landing.liquidlogic__casenote
 where known_to is null and not is_removed
 group by person_id
