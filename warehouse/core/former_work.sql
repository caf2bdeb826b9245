-- Work that was first known under a key before the key was given to somebody else, and is still delivered under it: the
-- former bearer's, if somebody is that person now, else withheld; never the new bearer's (governance F47). A contact of
-- such a referral counts as the referral does. Grain and key: event_id.
with recursive mark as (
  select source_record_id, since, former_bearer, bearer, former_person_id from identity.new_bearer
), heir as (                         -- who a former person has become
  select person_id as former_person_id, person_id, superseded_by
    from identity.person where person_id in (select former_person_id from mark)
  union
  select heir.former_person_id, person.person_id, person.superseded_by
    from heir inner join identity.person as person on person.person_id = heir.superseded_by
), somebody as (
  select heir.former_person_id, heir.person_id
    from heir
   where exists (select 1 from identity.membership as m where m.person_id = heir.person_id and m.known_to is null)
     and heir.superseded_by is null
), former as (                       -- each bearer who is it no more, and the person they are now
  select distinct on (mark.source_record_id, mark.former_bearer)
         mark.source_record_id, mark.former_bearer as bearer, somebody.person_id
    from mark
    left join somebody on somebody.former_person_id = mark.former_person_id
   order by mark.source_record_id, mark.former_bearer, mark.since desc
), bearing as (
  select distinct on (source_record_id) source_record_id, bearer from mark order by source_record_id, since desc
), version as (                      -- every version of every event, under each record it speaks of
  select 'request' as kind, source, event_key, source_record_id, 'person' as part, known_from, known_to from payload.request
  union all
  select 'assessment', source, event_key, source_record_id, 'person', known_from, known_to from payload.assessment
  union all
  select 'review', source, event_key, source_record_id, 'person', known_from, known_to from payload.review
  union all
  select 'service', source, event_key, source_record_id, 'person', known_from, known_to from payload.service
  union all
  select 'characteristic', source, event_key, source_record_id, 'person', known_from, known_to from payload.characteristic
  union all
  select 'caring', source, event_key, source_record_id, 'person', known_from, known_to from payload.caring
  union all
  select 'caring', source, event_key, cared_for_record_id, 'cared_for', known_from, known_to from payload.caring
  union all
  select 'referral', source, event_key, source_record_id, 'person', known_from, known_to from payload.referral
  union all
  select 'contact', source, event_key, source_record_id, 'person', known_from, known_to from payload.contact
  union all
  select 'contact', c.source, c.event_key, c.source_record_id, 'person', r.known_from, c.known_to
    from payload.contact as c
    inner join payload.referral as r
      on r.source = c.source and r.event_key = c.referral_event_key and r.source_record_id = c.source_record_id
), first_told as (
  select kind, source, event_key, source_record_id, part, min(known_from) as first_known
    from version
   where source_record_id in (select source_record_id from mark)
   group by kind, source, event_key, source_record_id, part
  having bool_or(known_to is null)
), owed as (
  select first_told.kind, first_told.source, first_told.event_key, first_told.part, former.person_id
    from first_told
    inner join bearing on bearing.source_record_id = first_told.source_record_id
    cross join lateral (
      select mark.former_bearer from mark
       where mark.source_record_id = first_told.source_record_id and mark.since > first_told.first_known
       order by mark.since limit 1
    ) as had
    inner join former on former.source_record_id = first_told.source_record_id and former.bearer = had.former_bearer
   where had.former_bearer <> bearing.bearer
)
select numbered.event_id,
       owed.kind,
       owed.source,
       owed.event_key,
       max(owed.person_id) filter (where owed.part = 'person') as person_id,
       max(owed.person_id) filter (where owed.part = 'cared_for') as cared_for_person_id,
       bool_or(owed.person_id is null) as is_withheld
  from owed
  inner join core.event as numbered
    on numbered.kind = owed.kind and numbered.source = owed.source and numbered.event_key = owed.event_key
 group by numbered.event_id, owed.kind, owed.source, owed.event_key
