-- What the new system and the migration's list say became of an old record, and whether the two records agree about
-- the person: yes, no or null where one of them is silent. Old ids are understood without leading zeros and check
-- letter. Grain: one row per statement. kind: legacy (typed into the new system) or list.
with old_person as (
  select * from identity.source_person p where p.source = {old} and {known:p}
), new_person as (
  select * from identity.source_person p where p.source = {new} and {known:p}
), form as (
  select source_person_key as key, source_person_key as form from old_person
  union
  select source_person_key, ltrim(source_person_key, '0') from old_person
  union
  select source_person_key, ltrim(left(source_person_key, -1), '0') from old_person
   where source_person_key ~ '^[0-9]+[A-Z]$'
), stated as (
  select 'legacy' as kind, r.source_person_key as new_key, upper(btrim(r.reference_value)) as typed,
         null::integer as load_number, true as is_evidence
    from identity.source_reference r
   where r.source = {new} and r.reference_type = {old} || '_key' and {known:r}
  union all
  select 'list', x.new_key, upper(btrim(x.old_key)), x.load_number, x.is_evidence and x.valid_to is null
    from identity.cross_reference x
   where x.old_source = {old} and x.new_source = {new} and {known:x}
), named as (
  select distinct on (s.kind, s.new_key, s.typed, s.load_number) s.*, f.key as found_key
    from stated s
    left join form f on f.form in (s.typed, ltrim(substring(s.typed from '[0-9]+[A-Z]?$'), '0'))
   order by s.kind, s.new_key, s.typed, s.load_number, f.key = s.typed desc nulls last, f.key
)
select n.kind,
       n.load_number,
       n.is_evidence,
       n.new_key,
       np.source_record_id as new_record,
       coalesce(n.found_key, n.typed) as old_key,
       op.source_record_id as old_record,
       op.birth_date = np.birth_date as birth_agrees,
       upper(regexp_replace(op.surname, '[^A-Za-z]', '', 'g'))
         = upper(regexp_replace(np.surname, '[^A-Za-z]', '', 'g')) as surname_agrees,
       upper(left(btrim(op.forename), 1)) = upper(left(btrim(np.forename), 1)) as initial_agrees
  from named n
  left join new_person np on np.source_person_key = n.new_key
  left join old_person op on op.source_person_key = n.found_key
