-- Caring relations in force on the day. Grain: one row per relation.
select c.source, c.event_key, c.source_record_id as carer_record, c.cared_for_record_id as cared_for_record
  from payload.caring c
 where {known:c} and c.source in ({old}, {new}) and (c.valid_to is null or c.valid_to > {day})
