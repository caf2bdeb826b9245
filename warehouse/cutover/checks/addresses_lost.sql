-- Addresses kept for each person: fewer in the new system than in the old one means that history was lost.
select 'addresses' as grp, w.old_key, w.new_key, true as in_old, true as in_new,
       case when n.addresses >= o.addresses then 'ok' else 'differs' end as verdict,
       case when n.addresses >= o.addresses then '' else 'fewer addresses than before' end as why,
       o.addresses::double as old_amount, n.addresses::double as new_amount
  from went_over w join person o on o.record_id = w.old_record join person n on n.record_id = w.new_record
 where w.pattern in ('one_to_one', 're_keyed')
