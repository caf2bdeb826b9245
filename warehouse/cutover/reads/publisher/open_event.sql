-- Work of either system that is open on the day, with the group it is counted in. Grain: one row per event and kind.
-- amount is the weekly cost of a service; null where the units or the price could not be read.
with involvement as (
  select 'allocation' as kind, i.source, i.source_record_id, i.event_key, coalesce(i.team_code, 'no team') as grp,
         i.start_date, null::double precision as amount
    from payload.involvement i
   where {known:i} and i.start_date <= {day} and (i.end_date is null or i.end_date > {day})
), service as (
  select 'service' as kind, s.source, s.source_record_id, s.event_key, coalesce(s.service_type, 'not known') as grp,
         s.start_date,
         (s.unit_cost * case when s.cost_frequency in ('Hourly', 'Per session', 'Daily', 'Weekly')
                             then coalesce(s.planned_units, 1) else 1 end
           / case s.cost_frequency when 'Fortnightly' then 2 when '4-weekly' then 4 when 'Monthly' then 52.0 / 12
                                   when 'Quarterly' then 13 when 'Annually' then 52 else 1 end)::double precision as amount
    from payload.service s
   where {known:s} and s.status = 'open' and s.start_date <= {day} and (s.end_date is null or s.end_date > {day})
), request as (
  select 'request' as kind, r.source, r.source_record_id, r.event_key, 'open' as grp, r.start_date,
         null::double precision as amount
    from payload.request r
   where {known:r} and r.status = 'open' and r.start_date <= {day}
  union all
  select 'request', a.source, a.source_record_id, a.event_key, 'open', a.start_date, null
    from payload.assessment a
   where {known:a} and a.status = 'open' and a.start_date <= {day}
), review as (
  select 'review' as kind, v.source, v.source_record_id, v.event_key,
         case when v.due_date < {day} then 'overdue' else 'due in the next twelve months' end as grp,
         v.due_date as start_date, null::double precision as amount
    from payload.review v
   where {known:v} and v.status = 'open' and v.due_date < {day} + interval '12 months'
), safeguarding as (
  select 'safeguarding' as kind, g.source, g.source_record_id, g.event_key, 'open enquiry' as grp,
         coalesce(g.enquiry_start_date, g.concern_date) as start_date, null::double precision as amount
    from payload.safeguarding g
   where {known:g} and g.case_status = 'open' and g.concern_date <= {day}
), dols as (
  select 'dols' as kind, d.source, d.source_record_id, d.event_key, 'in force' as grp, d.start_date,
         null::double precision as amount
    from payload.dols d
   where {known:d} and d.decision = 'granted' and d.start_date <= {day} and (d.end_date is null or d.end_date > {day})
), everything as (
  select * from involvement union all select * from service union all select * from request union all
  select * from review union all select * from safeguarding union all select * from dols
)
select e.kind, e.source, e.source_record_id as record_id, e.event_key, e.grp, e.start_date, e.amount
  from everything e
 where e.source in ({old}, {new})
