-- Active carers and whom they care for: is the same carer linked to the same person in the new system?
with relation as (
  select c.source, c.event_key, a.person_id as carer, b.person_id as cared_for, a.person_key
    from carer c join person a on a.record_id = c.carer_record join person b on b.record_id = c.cared_for_record
), old_relation as (
  select carer, cared_for, any_value(event_key) as event_key, any_value(person_key) as person_key
    from relation where source = (select old from setting) group by all
), new_relation as (
  select carer, cared_for, any_value(event_key) as event_key, any_value(person_key) as person_key
    from relation where source = (select new from setting) group by all
)
select 'carers' as grp, coalesce(o.person_key || ' ' || o.event_key, '') as old_key, coalesce(n.person_key || ' ' || n.event_key, '') as new_key,
       o.carer is not null as in_old, n.carer is not null as in_new,
       case when o.carer is not null and n.carer is not null then 'ok' when o.carer is null then 'explained' else 'differs' end as verdict,
       case when o.carer is null then 'new in the new system' when n.carer is null then 'not linked in the new system' else '' end as why,
       null::double as old_amount, null::double as new_amount
  from old_relation o full join new_relation n on n.carer = o.carer and n.cared_for = o.cared_for
