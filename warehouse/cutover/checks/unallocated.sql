-- People with open work and nobody allocated: they must be the same people in both systems.
with state as (
  select p.source, p.person_id, any_value(p.person_key) as person_key,
         bool_or(e.kind in ('service', 'request', 'safeguarding')) as is_open,
         bool_or(e.kind = 'allocation') as is_allocated
    from open_event e join person p on p.record_id = e.record_id where p.person_id is not null group by all
), waiting as (select * from state where is_open and not is_allocated),
side as (
  select o.person_key as old_person, n.person_key as new_person, coalesce(o.person_id, n.person_id) as person_id
    from (select * from waiting where source = (select old from setting)) o
    full join (select * from waiting where source = (select new from setting)) n on n.person_id = o.person_id
)
select 'unallocated' as grp, coalesce(old_person, '') as old_key, coalesce(new_person, '') as new_key,
       old_person is not null as in_old, new_person is not null as in_new,
       case when old_person is not null and new_person is not null then 'ok'
            when new_person is not null and not exists (select 1 from old_side o where o.person_id = s.person_id) then 'explained'
            else 'differs' end as verdict,
       case when old_person is not null and new_person is not null then ''
            when new_person is null then 'allocated or closed in the new system'
            when not exists (select 1 from old_side o where o.person_id = s.person_id) then 'new since the load'
            else 'nobody allocated in the new system' end as why,
       null::double as old_amount, null::double as new_amount
  from side s
