-- Carers and the adults they care for in the pinned release. Grain and key: event_id.
select source,
       event_id as event_key,
       person_id,
       cared_for_person_id,
       valid_from,
       valid_to
  from release.caring
