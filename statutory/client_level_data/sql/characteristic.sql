-- Dated facts about people in the pinned release. Grain and key: event_id.
select source,
       event_id as event_key,
       person_id,
       kind,
       value,
       valid_from,
       valid_to
  from release.characteristic
