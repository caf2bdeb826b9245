-- Events without a person, and rows that wait for what they hang on.
select kind as grp, '' as old_key, event_key as new_key, false as in_old, true as in_new, 'differs' as verdict,
       'its person record is gone' as why, null::double as old_amount, null::double as new_amount from orphan
union all
select dataset, '', 'file ' || file_id || ' record ' || line, false, true, 'differs', 'held: what it hangs on never came', null, null
  from held_orphan
