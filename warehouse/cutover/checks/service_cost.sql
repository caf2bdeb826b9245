-- Weekly cost of open services by type: an item for each type, the sums as amounts.
with summed as (
  select grp, sum(old_amount) as old_amount, sum(new_amount) as new_amount from open_work('service')
   where verdict <> 'explained' or in_old group by grp
)
select grp, '' as old_key, '' as new_key, true as in_old, true as in_new,
       case when abs(coalesce(old_amount, 0) - coalesce(new_amount, 0)) <= 0.005 * coalesce(old_amount, 0) then 'ok' else 'differs' end as verdict,
       'weekly cost' as why, old_amount, new_amount
  from summed
