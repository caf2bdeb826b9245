-- Notes and documents of each person who went over as one record.
with counted as (
  select w.old_key, w.new_key, coalesce(o.notes, 0) as old_notes, coalesce(n.notes, 0) as new_notes
    from went_over w cross join setting s
    left join note o on o.source = s.old and o.person_key = w.old_key
    left join note n on n.source = s.new and n.person_key = w.new_key
   where w.pattern in ('one_to_one', 're_keyed') and w.new_record is not null
)
select 'notes' as grp, old_key, new_key, true as in_old, true as in_new,
       case when abs(old_notes - new_notes) <= 0.01 * old_notes or old_notes = new_notes then 'ok' else 'differs' end as verdict,
       case when new_notes < old_notes then 'fewer notes' when new_notes > old_notes then 'more notes' else '' end as why,
       old_notes::double as old_amount, new_notes::double as new_amount
  from counted where old_notes + new_notes > 0
