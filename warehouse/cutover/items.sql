-- What the pages of `checks` share. Every check is a list of items: grp, old_key, new_key (what is meant, keys only),
-- in_old, in_new (whether it counts on that side), verdict (ok, explained, differs), why, old_amount, new_amount.

-- How a record of either side went over, by record; several patterns of one record are told as the first by name.
create view went_over as
select old_record, new_record, any_value(old_key) as old_key, any_value(new_key) as new_key, min(pattern) as pattern
  from pattern where old_record is not null or new_record is not null group by old_record, new_record;

create view working as               -- records with any open work
select distinct record_id from open_event where kind in ('allocation', 'service', 'request', 'safeguarding', 'dols');

create view person_flag as
select record_id, 'total' as flag from person
union all select record_id, 'clients' from person where is_client
union all select record_id, 'open' from working
union all select record_id, 'deceased' from person where is_deceased
union all select record_id, 'restricted' from person where is_restricted;

-- People with a flag, old against new: a pair of records at a time, then the records that stand alone.
create macro people_with(wanted) as table
with flagged as (select distinct record_id from person_flag where flag = wanted),
paired as (
  select w.old_key, w.new_key, w.pattern, w.old_record in (from flagged) as in_old, w.new_record in (from flagged) as in_new,
         w.old_record, w.new_record
    from went_over w where w.old_record is not null and w.new_record is not null
), judged as (
  select p.*, bool_or(in_old) over (partition by new_record) as any_old, bool_or(in_new) over (partition by old_record) as any_new
    from paired p
), beside as (
  select o.person_key as old_key, '' as new_key, true as in_old, false as in_new, w.pattern,
         o.record_id in (select record_id from working) as is_open, o.is_marked_duplicate
    from old_side o left join went_over w on w.old_record = o.record_id and w.new_record is null and w.pattern = 'not_migrated'
   where o.record_id in (from flagged) and o.record_id not in (select old_record from paired)
), alone as (
  select '' as old_key, n.person_key as new_key, c.new_record is not null as has_old_id
    from new_side n left join (select distinct new_record from claim where new_record is not null) c on c.new_record = n.record_id
   where n.record_id in (from flagged) and n.record_id not in (select new_record from paired)
)
select wanted as grp, old_key, new_key, in_old, in_new,
       case when in_old = in_new and pattern = 'one_to_one' then 'ok'
            when in_old = in_new then 'explained'
            when any_old and any_new then 'explained'
            when in_new then 'explained'
            when pattern = 'created_in_both' then 'explained'
            else 'differs' end as verdict,
       case when in_old = in_new or any_old and any_new then pattern
            when in_new then 'known in the new system only'
            when pattern = 'created_in_both' then pattern else 'lost on the way: ' || pattern end as why,
       null::double as old_amount, null::double as new_amount
  from judged where in_old or in_new
union all
select wanted, old_key, new_key, in_old, in_new,
       case when pattern is not null and not is_open then 'explained' when is_marked_duplicate and not is_open then 'explained'
            else 'differs' end,
       case when pattern is null and is_marked_duplicate then 'a marked duplicate that was left behind'
            when pattern is null then 'no new record is known and no pattern says why'
            when is_open then 'not migrated, though work is open' else pattern end, null, null
  from beside
union all
select wanted, old_key, new_key, false, true, case when has_old_id then 'differs' else 'explained' end,
       case when has_old_id then 'its old id leads to no record we hold' else 'new since the load' end, null, null
  from alone;

-- Open work of one kind, old against new: within one person and group the nth of the one with the nth of the other,
-- then what is left of a person whatever its group, then what stands alone.
create macro open_work(wanted) as table
with told as (
  select e.*, p.person_id, p.person_key, coalesce(t.new_group, e.grp) as told_grp,
         row_number() over (partition by e.source, p.person_id, coalesce(t.new_group, e.grp)
                            order by e.amount nulls last, e.start_date, e.event_key) as nth
    from open_event e join person p on p.record_id = e.record_id
    left join group_map t on t.kind = e.kind and t.old_group = e.grp and e.source = (select old from setting)
   where e.kind = wanted
), same as (
  select o.event_key as old_event, n.event_key as new_event, o.told_grp as grp, o.amount as old_amount, n.amount as new_amount,
         o.person_key as old_person, n.person_key as new_person
    from told o join told n on n.person_id = o.person_id and n.told_grp = o.told_grp and n.nth = o.nth
   where o.source = (select old from setting) and n.source = (select new from setting)
), left_over as (
  select t.*, row_number() over (partition by t.source, t.person_id order by t.told_grp, t.event_key) as place
    from told t
   where (t.source = (select old from setting) and t.event_key not in (select old_event from same))
      or (t.source = (select new from setting) and t.event_key not in (select new_event from same))
), moved as (
  select coalesce(o.told_grp, n.told_grp) as grp, o.event_key as old_event, n.event_key as new_event, o.person_key as old_person,
         n.person_key as new_person, o.record_id as old_record, n.record_id as new_record, o.amount as old_amount,
         n.amount as new_amount, n.start_date as new_start, n.told_grp as new_grp
    from (select * from left_over where source = (select old from setting)) o
    full join (select * from left_over where source = (select new from setting)) n on n.person_id = o.person_id and n.place = o.place
)
select grp, old_person || ' ' || old_event as old_key, new_person || ' ' || new_event as new_key, true as in_old, true as in_new,
       'ok' as verdict, '' as why, old_amount, new_amount from same
union all
select m.grp, coalesce(m.old_person || ' ' || m.old_event, ''), coalesce(m.new_person || ' ' || m.new_event, ''),
       m.old_event is not null, m.new_event is not null,
       case when m.old_event is not null and m.new_event is not null then 'differs'
            when m.old_event is not null and several.new_record is not null then 'explained'
            when m.old_event is not null then 'differs'
            when m.new_start >= s.freeze_from and m.new_start <> s.live_from then 'explained'
            when m.new_start = s.live_from and fresh.record_id is not null then 'explained'
            else 'differs' end,
       case when m.old_event is not null and m.new_event is not null then 'counted as ' || m.new_grp || ' in the new system'
            when m.old_event is not null and several.new_record is not null then 'told in several old records that became one'
            when m.old_event is not null then 'not in the new system'
            when m.new_start >= s.freeze_from and m.new_start <> s.live_from then 'begun during the freeze or since'
            when m.new_start = s.live_from and fresh.record_id is not null then 'of somebody new to the council'
            else 'not in the old system' end,
       m.old_amount, m.new_amount
  from moved m cross join setting s
  left join (select distinct old_record, new_record from went_over where pattern = 'several_to_one') several
    on several.old_record = m.old_record
  left join (select record_id from new_side where record_id not in (select new_record from went_over where new_record is not null)) fresh
    on fresh.record_id = m.new_record;

-- Do linked pairs say the same? Only pairs that went over as one record are asked.
create macro same_value(told) as table
select told as grp, p.old_key, p.new_key, true as in_old, true as in_new,
       case when c.answer in ('equal', 'neither', 'gained') then 'ok' else 'differs' end as verdict,
       c.answer as why, null::double as old_amount, null::double as new_amount
  from pair p
  join went_over w on w.old_record = p.old_record and w.new_record = p.new_record
  cross join lateral (select case told when 'nhs_number' then p.nhs_number when 'surname' then p.surname
                                       when 'birth_date' then p.birth_date else p.postcode end as answer) c;
