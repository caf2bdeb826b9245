-- Grain: one row per source record. Key: record_id. Reads the source rows and the look-ups of cleaned values
-- (name_form, number_form, postcode_form, name_share), what depends on all records (fact_*), and keeps every column that a
-- later step compares. It is about the rows of todo_*: all records, or those of which something has changed.
with person as (
  select p.source_record_id as record_id, p.source || '|' || p.source_person_key as record_key, p.source, p.source_person_key,
         coalesce(f.tokens, []) as forename_tokens, coalesce(f.joined, '') as forename_joined,
         coalesce(m.tokens, []) as middle_tokens,
         coalesce(k.tokens, []) || coalesce(k.others, []) || coalesce(f.others, []) as known_as_tokens,
         coalesce(s.tokens, []) as surname_tokens, coalesce(s.joined, '') as surname_joined,
         coalesce(s.others, []) || coalesce(ps.tokens, [])
           || (case when ps.joined <> '' then [ps.joined] else [] end) as former_surnames,
         n.nhs_number,
         coalesce(p.nhs_number_verified, false) and n.nhs_number is not null as nhs_verified,
         case when p.birth_date in (date '1900-01-01', date '1901-01-01') or common_date.birth_date is not null then null
              else p.birth_date end as birth_date,
         coalesce(p.birth_date_estimated, false) or (month(p.birth_date) = 1 and day(p.birth_date) = 1) as birth_estimated,
         p.death_date, nullif(p.sex, '9') as sex, p.postcode as postcode_raw,
         b.telephone, b.email,
         nullif(upper(trim(p.gp_practice_code)), '') as gp_practice, p.is_restricted,
         nullif(trim(p.duplicate_of_key), '') as duplicate_of_key
    from todo_person p
    join base b on b.record_id = p.source_record_id
    left join name_form f on f.raw = p.forename
    left join name_form m on m.raw = p.middle_names
    left join name_form k on k.raw = p.known_as
    left join name_form s on s.raw = p.surname
    left join name_form ps on ps.raw = p.previous_surname
    left join number_form n on n.raw = p.nhs_number_supplied
    left join fact_common_date common_date
      on common_date.source = p.source and common_date.birth_date = p.birth_date
),
referenced_name as (            -- former surnames and aliases that arrive as references
  select r.source_record_id as record_id, flatten(list(list_distinct(f.tokens || [f.joined]) order by r.reference_key)) as names
    from todo_reference r join name_form f on f.raw = r.reference_value
   where r.reference_type in ('former_surname', 'alias') and f.joined <> ''
   group by all
),
places as (
  select record_id, max(postcode) filter (where is_current) as postcode,
         bool_or(is_current and c.postcode is not null) as is_communal,
         list_sort(list_distinct(list(postcode) filter (where c.postcode is null))) as postcodes
    from (from base_place semi join todo_person on source_record_id = record_id)
    left join fact_communal c using (postcode)
   group by record_id
),
named as (
  select p.*, coalesce(p.forename_tokens[1], '') as forename_first,
         list_distinct(p.forename_tokens || p.known_as_tokens || p.middle_tokens
                       || (case when p.forename_joined <> '' then [p.forename_joined] else [] end)) as given,
         list_distinct((case when p.surname_joined <> '' then [p.surname_joined] else [] end)
                       || list_filter(p.surname_tokens, lambda t: length(t) > 2) || p.former_surnames
                       || coalesce(r.names, [])) as family
    from person p left join referenced_name r using (record_id)
),
nickname as (
  select g.record_id, list_sort(list_distinct(list(t.nickname_group))) as groups
    from (select record_id, unnest(given) as word from named) g join nickname_of t using (word)
   group by g.record_id
)
select n.record_id, n.record_key, n.source, n.source_person_key,
       nullif(n.forename_first, '') as forename, nullif(n.surname_joined, '') as surname,
       nullif(n.forename_joined, '') as forename_joined,
       case when n.forename_first <> '' and n.surname_joined <> '' then n.forename_first || ' ' || n.surname_joined end as full_name,
       list_sort(n.given) as given_names, list_sort(n.family) as surnames,
       list_sort(list_distinct(n.forename_tokens || n.surname_tokens)) as name_tokens,
       coalesce(ng.groups, []) as nicknames,
       sf.skeleton as forename_sound, ss.skeleton as surname_sound,
       n.birth_date, strftime(n.birth_date, '%Y%m%d') as birth_text,
       case when n.birth_date is not null then n.birth_estimated end as birth_estimated, n.death_date, n.sex,
       pl.postcode, split_part(pl.postcode, ' ', 1) as outcode,
       left(pl.postcode, length(pl.postcode) - 2) as sector, coalesce(pl.is_communal, false) as is_communal,
       coalesce(pl.postcodes, []) as postcodes,
       n.nhs_number, n.nhs_verified,
       case when n.telephone not in (select contact from fact_contact) then n.telephone end as telephone,
       case when n.email not in (select contact from fact_contact) then n.email end as email,
       n.gp_practice, n.is_restricted, n.duplicate_of_key,
       greatest(coalesce(tf.share, s.name_floor), s.name_floor) as tf_forename,
       greatest(coalesce(ts.share, s.name_floor), s.name_floor) as tf_surname,
       greatest(coalesce(tf.share, s.name_floor) * coalesce(ts.share, s.name_floor), s.full_name_floor) as tf_full_name
  from named n cross join setting s
  left join places pl using (record_id)
  left join name_sound sf on sf.word = n.forename_first
  left join name_sound ss on ss.word = n.surname_joined
  left join nickname ng using (record_id)
  left join name_share tf on tf.kind = 'forename' and tf.name = n.forename_first
  left join name_share ts on ts.kind = 'surname' and ts.name = n.surname_joined
 order by n.record_id
