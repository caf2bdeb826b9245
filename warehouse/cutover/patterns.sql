-- Grain: one row per old record and what became of it (and per new record whose old id names somebody else).
-- Evidence is what the new system and the list of the counting load say; who is one person comes from linkage. The
-- truth is never read. Patterns of the sources hand-book, 6.3, strongest reading first:
--   wrong_link     the new record's old id names somebody whom linkage keeps apart and whose details disagree
--   re_keyed       a trial load's new id survives in the list, different from the one that counts
--   one_to_several one old record is named by several new ones
--   several_to_one one new record stands for several old ones
--   one_to_one     what is left of the evidence
--   created_in_both one person, an old and a new record, and neither names the other
--   not_migrated   no new record of the person
create table evidence as
select old_record, new_record, any_value(old_key) as old_key, any_value(new_key) as new_key,
       bool_or(kind = 'legacy') as by_legacy, bool_or(kind = 'list') as by_list,
       coalesce(bool_or(not birth_agrees), false) as born_apart,
       coalesce(bool_or(not surname_agrees or not initial_agrees), false) as names_disagree
  from claim
 where is_evidence and old_record is not null and new_record is not null
 group by old_record, new_record;

create table old_side as
select p.*, s.is_trial or coalesce(least(b.begun, p.first_known), p.first_known) < s.live_from as was_there
  from person p cross join setting s left join begun b on b.person_key = p.person_key where p.source = s.old;
create table new_side as select p.* from person p, setting s where p.source = s.new;

create table judged as
select e.*, o.person_id as old_person, n.person_id as new_person,
       coalesce(o.person_id = n.person_id, false) as is_together,
       exists (select 1 from old_side x where x.person_id = n.person_id and x.record_id <> e.old_record) as new_has_other_old
  from evidence e join old_side o on o.record_id = e.old_record join new_side n on n.record_id = e.new_record;

create table wrong as
select j.* from judged j
 where not j.is_together and j.born_apart and j.names_disagree
   and (j.new_has_other_old
        or not exists (select 1 from judged k where k.old_record = j.old_record and k.is_together));

create table right_evidence as
select j.*, count(*) over (partition by old_record) as new_records, count(*) over (partition by new_record) as old_records
  from judged j where (old_record, new_record) not in (select (old_record, new_record) from wrong);

create table survivor as             -- new ids of trial loads that the counting load did not hand out to that record
select distinct t.old_key, t.new_key, t.load_number
  from claim t, setting s
 where t.kind = 'list' and t.load_number < s.load_number
   and exists (select 1 from claim c where c.kind = 'list' and c.old_key = t.old_key and c.load_number = s.load_number)
   and not exists (select 1 from claim c
                    where c.old_key = t.old_key and c.new_key = t.new_key
                      and (c.kind = 'legacy' or c.load_number = s.load_number));

create table unclaimed as
select o.* from old_side o where o.record_id not in (select old_record from right_evidence);

create table misnamed as             -- new records whose old id leads to no record we hold, and nothing else speaks for them
select new_record, any_value(old_key) as named_key from claim
 where is_evidence and new_record is not null and new_record not in (select new_record from right_evidence)
 group by new_record having bool_and(old_record is null);

create table beside as               -- unclaimed, but the person has a new record; what the old system merged stays behind
select u.record_id as old_record, u.person_key as old_key, n.record_id as new_record, n.person_key as new_key,
       exists (select 1 from right_evidence r where r.new_record = n.record_id) as new_is_claimed, u.was_there,
       row_number() over (partition by u.record_id
                          order by exists (select 1 from right_evidence r where r.new_record = n.record_id), n.person_key) as nth
  from unclaimed u join new_side n on n.person_id = u.person_id
 where n.record_id not in (select new_record from wrong)
   and (not u.is_marked_duplicate
        or exists (select 1 from claim c where c.old_record = u.record_id and c.new_record = n.record_id));

create table pattern as
with claimed as (
  select r.old_record, r.old_key, r.new_record, r.new_key,
         case when exists (select 1 from survivor v where v.old_key = r.old_key) then 're_keyed'
              when r.new_records > 1 then 'one_to_several'
              when r.old_records > 1 or exists (select 1 from beside b where b.new_record = r.new_record and b.nth = 1
                                                   and b.was_there) then 'several_to_one'
              else 'one_to_one' end as pattern,
         case when not r.is_together then 'the ids say so; linkage has not joined the records yet'
              when r.by_legacy and r.by_list then 'new system and list agree'
              when r.by_legacy then 'the new system alone says so' else 'the list alone says so' end as why
    from right_evidence r
), named_wrongly as (                -- told of the record that really went over, when linkage knows it
  select o.record_id as old_record, coalesce(o.person_key, '') as old_key, w.new_record, w.new_key, 'wrong_link' as pattern,
         'its old id names ' || w.old_key || ', who is somebody else' as why
    from wrong w left join old_side o on o.person_id = w.new_person
   where o.record_id is null or o.record_id not in (select old_record from right_evidence)
), trial_id as (
  select o.record_id as old_record, v.old_key, null::bigint as new_record, v.new_key, 're_keyed' as pattern,
         'id of trial load ' || v.load_number || ' still in the list' as why
    from survivor v left join old_side o on o.person_key = v.old_key
)
select * from claimed
union all select * from named_wrongly
union all select * from trial_id
union all
select old_record, old_key, new_record, new_key,
       case when new_is_claimed then 'several_to_one' when new_record in (select new_record from misnamed) then 'wrong_link'
            else 'created_in_both' end,
       case when new_is_claimed then 'same person as a record that went over; no list that counts names it'
            when new_record in (select new_record from misnamed) then 'its old id leads to no record we hold'
            else 'same person in both systems; neither names the other' end
  from beside where nth = 1 and was_there
union all
select u.record_id, u.person_key, null, '', 'not_migrated',
       case when u.is_marked_duplicate then 'merged in the old system before' else 'no new record of the person' end
  from unclaimed u
 where u.was_there and u.record_id not in (select old_record from beside)
   and u.record_id not in (select old_record from named_wrongly where old_record is not null);
