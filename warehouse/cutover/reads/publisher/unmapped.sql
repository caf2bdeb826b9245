-- Codes of the new system on open work that no mapping knows. Grain: one row per event and column.
select u.kind, u.event_key, u.source_record_id as record_id, u.column_name
  from (
    select 'service' as kind, s.source, s.event_key, s.source_record_id, v.column_name
      from payload.service s
     cross join lateral (values
       ('service_type', s.service_type, s.service_type_raw),
       ('service_component', s.service_component, s.service_component_raw),
       ('delivery_mechanism', s.delivery_mechanism, s.delivery_mechanism_raw),
       ('primary_support_reason', s.primary_support_reason, s.primary_support_reason_raw)
     ) as v (column_name, clean, raw)
     where {known:s} and s.status = 'open' and v.clean is null and v.raw is not null
    union all
    select 'request', r.source, r.event_key, r.source_record_id, v.column_name
      from payload.request r
     cross join lateral (values
       ('route_of_access', r.route_of_access, r.route_of_access_raw),
       ('primary_support_reason', r.primary_support_reason, r.primary_support_reason_raw)
     ) as v (column_name, clean, raw)
     where {known:r} and r.status = 'open' and v.clean is null and v.raw is not null
    union all
    select 'involvement', i.source, i.event_key, i.source_record_id, 'role'
      from payload.involvement i
     where {known:i} and i.end_date is null and i.role is null and i.role_raw is not null
  ) as u
 where u.source = {new}
