-- Grain: one row per touched person. Key: person_id. The best value of each identifier among the person's records, with the source
-- it comes from (sources 9.3). Trust: verified number, then the latest we learnt, then health before care, then the key;
-- finance (controcc) is believed last: for a name only when nobody else has one, for a death after health and care.
create or replace table detail_wanted as
with member as (
  select w.person_id, p.*, s.record_key, s.nhs_number as number, s.nhs_verified as is_verified, s.birth_date as usable_birth_date,
         coalesce(s.birth_estimated, false) as is_estimated, s.postcode as clean_postcode, s.is_communal,
         case p.source when 'systmone' then 0 when 'controcc' then 2 else 1 end as care_last
    from membership_wanted w
    semi join touched_person t on t.person_id = w.person_id
    join source_person p on p.source_record_id = w.record_id
    join standard s on s.record_id = w.record_id
),
latest_address as (
  select source_record_id, max(valid_from) as address_from from source_address where valid_to is null group by all
),
birth_vote as (
  select person_id, usable_birth_date, count(*) as votes, bool_or(is_verified) as is_traced, bool_or(not is_estimated) as is_exact,
         arg_min(source, (not is_verified)::int || record_key) as source, min(record_key) as record_key
    from member where usable_birth_date is not null group by person_id, usable_birth_date
),
birth as (                      -- the traced record's birth date, else the majority's, else one that is not a default day
  select person_id, usable_birth_date as birth_date, source from birth_vote
 qualify row_number() over (partition by person_id order by is_traced desc, votes desc, is_exact desc, record_key) = 1
),
best_number as (
  select person_id, number, is_verified, source from member where number is not null
 qualify row_number() over (partition by person_id order by is_verified desc, known_from desc, care_last, record_key) = 1
),
best_name as (
  select person_id, forename, surname, source from member where surname is not null or forename is not null
 qualify row_number() over (partition by person_id order by care_last = 2, is_verified desc,
                            (forename is not null and surname is not null) desc, is_marked_duplicate, known_from desc, care_last, record_key) = 1
),
best_death as (
  select person_id, death_date, source from member where death_date is not null
 qualify row_number() over (partition by person_id order by care_last, known_from desc, record_key) = 1
),
best_sex as (
  select person_id, sex, source from member where sex is not null
 qualify row_number() over (partition by person_id order by (sex = '9'), is_verified desc, known_from desc, care_last, record_key) = 1
),
best_ethnicity as (             -- the latest informative answer: not stated (Z) and not known (99) only when there is no other
  select person_id, ethnicity_code, source from member where ethnicity_code is not null
 qualify row_number() over (partition by person_id order by (ethnicity_code in ('Z', '99')), known_from desc, care_last, record_key) = 1
),
best_postcode as (              -- where a resident lives, before where the family does; else the address begun last
  select m.person_id, m.clean_postcode as postcode, m.source from member m left join latest_address a using (source_record_id)
   where m.clean_postcode is not null
 qualify row_number() over (partition by m.person_id order by m.is_communal desc, a.address_from desc nulls last,
                            m.known_from desc, m.care_last, m.record_key) = 1
),
best_practice as (
  select person_id, upper(trim(gp_practice_code)) as gp_practice_code, source from member where trim(gp_practice_code) <> ''
 qualify row_number() over (partition by person_id order by care_last, known_from desc, record_key) = 1
)
select p.person_id, n.number as nhs_number, n.is_verified as nhs_number_verified, nm.forename, nm.surname,
       b.birth_date, d.death_date, s.sex, e.ethnicity_code, pc.postcode, g.gp_practice_code,
       to_json(map_from_entries(list_filter([
         {'k': 'nhs_number', 'v': n.source}, {'k': 'name', 'v': nm.source}, {'k': 'birth_date', 'v': b.source},
         {'k': 'death_date', 'v': d.source}, {'k': 'sex', 'v': s.source}, {'k': 'ethnicity_code', 'v': e.source},
         {'k': 'postcode', 'v': pc.source}, {'k': 'gp_practice_code', 'v': g.source}], lambda x: x.v is not null)))::varchar
         as value_sources
  from (select distinct person_id from member) p
  left join best_number n using (person_id) left join best_name nm using (person_id) left join birth b using (person_id)
  left join best_death d using (person_id) left join best_sex s using (person_id) left join best_ethnicity e using (person_id)
  left join best_postcode pc using (person_id) left join best_practice g using (person_id);
