-- Codes of open work in the new system that no mapping knows.
select u.kind || ' ' || u.column_name as grp, '' as old_key, coalesce(p.person_key || ' ', '') || u.event_key as new_key,
       false as in_old, true as in_new, 'differs' as verdict, 'no mapping' as why, null::double as old_amount, null::double as new_amount
  from unmapped u left join person p on p.record_id = u.record_id
