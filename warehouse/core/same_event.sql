-- Events that a replaced system and the one that replaced it both tell. Grain and key: event_id, the telling in the new
-- system. Rules, strongest first; within a rule the nearest start wins, and an event takes part in one pair only:
--   service_continues  a service begun in the new system on the day it went live, and one of the same person, type,
--                      component and, if possible, provider and price that was open in the old system then
--   work_carried_over  open work of the old system told again in the new one, begun within three days of each other
--   told_twice         any other work begun within three days of each other while the systems changed
-- Nobody's work is joined across persons, kinds or types (sources hand-book, 6.4).
with plan as (
  select old_source, new_source, freeze_from, live_from, dual_running_until from core.replaced_source
), member as (
  select source_record_id, person_id from identity.membership where known_to is null
), delivered as (
  select 'service' as kind, s.source, s.event_key, m.person_id, s.start_date, s.end_date, s.status,
         coalesce(s.service_type, '') || '|' || coalesce(s.service_component, '') as type,
         coalesce(s.cqc_location_id, upper(s.provider_name), '') as provider, s.unit_cost as price
    from payload.service s inner join member m on m.source_record_id = s.source_record_id
   where s.known_to is null and s.status <> 'cancelled'
  union all
  select 'request', r.source, r.event_key, m.person_id, r.start_date, r.end_date, r.status,
         coalesce(r.route_of_access, ''), '', null
    from payload.request r inner join member m on m.source_record_id = r.source_record_id
   where r.known_to is null and r.status <> 'cancelled'
  union all
  select 'assessment', a.source, a.event_key, m.person_id, a.start_date, a.end_date, a.status,
         coalesce(a.assessment_type, ''), '', null
    from payload.assessment a inner join member m on m.source_record_id = a.source_record_id
   where a.known_to is null and a.status <> 'cancelled'
  union all
  select 'review', v.source, v.event_key, m.person_id, coalesce(v.start_date, v.due_date), v.end_date, v.status,
         coalesce(v.review_reason, ''), '', null
    from payload.review v inner join member m on m.source_record_id = v.source_record_id
   where v.known_to is null and v.status <> 'cancelled'
), told as (                          -- work of a key's former bearer is matched with theirs (core/former_work.sql)
  select d.kind, d.source, d.event_key, coalesce(f.person_id, d.person_id) as person_id,
         d.start_date, d.end_date, d.status, d.type, d.provider, d.price
    from delivered d
    left join core.former_work f on f.kind = d.kind and f.source = d.source and f.event_key = d.event_key
   where f.is_withheld is not true
), met as (
  select o.kind, p.old_source, o.event_key as old_key, o.start_date as started_on, p.new_source, n.event_key as new_key,
         abs(o.start_date - n.start_date) as days_apart,
         (o.provider = n.provider)::integer as same_provider,
         coalesce(o.price = n.price, false)::integer as same_price,
         case when o.kind = 'service' and n.start_date = p.live_from and o.start_date <= p.live_from
                   and (o.end_date is null or o.end_date >= p.freeze_from) then 1
              when abs(o.start_date - n.start_date) <= 3 and o.start_date < p.live_from
                   and (o.end_date is null or o.end_date >= p.freeze_from) then 2
              when abs(o.start_date - n.start_date) <= 3
                   and o.start_date between p.freeze_from - 60 and p.dual_running_until then 3 end as rule
    from plan p
    inner join told o on o.source = p.old_source
    inner join told n on n.source = p.new_source and n.person_id = o.person_id and n.kind = o.kind and n.type = o.type
), ranked as (
  select *,
         dense_rank() over (partition by kind, new_key
                            order by rule, same_provider desc, same_price desc, days_apart) as grade_of_new,
         dense_rank() over (partition by kind, old_key
                            order by rule, same_provider desc, same_price desc, days_apart) as grade_of_old
    from met where rule is not null
), equals as (                       -- several alike on both sides: the nth of the one is the nth of the other
  select *, dense_rank() over (partition by kind, new_key order by old_key) as nth_old,
         dense_rank() over (partition by kind, old_key order by new_key) as nth_new
    from ranked where grade_of_new = 1 and grade_of_old = 1
), chosen as (
  select distinct on (kind, old_key) kind, old_source, old_key, started_on, new_source, new_key, rule
    from (select distinct on (kind, new_key) * from equals where nth_old = nth_new
           order by kind, new_key, rule, days_apart, old_key) once
   order by kind, old_key, rule, days_apart, new_key
)
select again.event_id,
       first.event_id as same_as_event_id,
       c.kind,
       case c.rule when 1 then 'service_continues' when 2 then 'work_carried_over' else 'told_twice' end as rule,
       c.started_on
  from chosen c
  inner join core.event as again on again.kind = c.kind and again.source = c.new_source and again.event_key = c.new_key
  inner join core.event as first on first.kind = c.kind and first.source = c.old_source and first.event_key = c.old_key
