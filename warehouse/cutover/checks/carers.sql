-- Active carers and whom they care for: is the same carer linked to the same person in the new system? A relation with
-- somebody who was not migrated cannot be.
with relation as (
  select c.source, c.event_key, a.person_id as carer, b.person_id as cared_for, a.person_key,
         bool_or(w.pattern is not null) as is_left_behind
    from carer c
    join person a on a.record_id = c.carer_record
    join person b on b.record_id = c.cared_for_record
    left join pattern w on w.pattern = 'not_migrated' and w.old_record in (a.record_id, b.record_id)
   group by all
), old_relation as (
  select carer, cared_for, min(event_key) as event_key, min(person_key) as person_key,
         bool_or(is_left_behind) as is_left_behind
    from relation where source = (select old from setting) group by carer, cared_for
), new_relation as (
  select carer, cared_for, min(event_key) as event_key, min(person_key) as person_key
    from relation where source = (select new from setting) group by carer, cared_for
)
select 'carers' as grp,
       coalesce(o.person_key || ' ' || o.event_key, '') as old_key,
       coalesce(n.person_key || ' ' || n.event_key, '') as new_key,
       o.carer is not null as in_old,
       n.carer is not null as in_new,
       case when o.carer is not null and n.carer is not null then 'ok'
            when o.carer is null or o.is_left_behind then 'explained' else 'differs' end as verdict,
       case when o.carer is null then 'new in the new system'
            when n.carer is not null then ''
            when o.is_left_behind then 'with somebody who was not migrated'
            else 'not linked in the new system' end as why,
       null::double as old_amount,
       null::double as new_amount
  from old_relation o full join new_relation n on n.carer = o.carer and n.cared_for = o.cared_for
