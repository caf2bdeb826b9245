-- One row per statement of the migration's list that can be read. Key: cross_reference_key = old id, new id, load.
-- Leading zeros a spreadsheet dropped are put back; the suite lets through only numbers whose check letter then fits
-- (QUIRKS 4). In force until a later decision on the same old id in the same load (QUIRKS 2); evidence only from the
-- go-live load on, which the profile names (QUIRKS 3).
with stated as (
  select
    lpad(upper(btrim(l.old_id)), 9, '0') as old_key,
    btrim(l.new_id) as new_key,
    btrim(l.load_number)::integer as load_number,
    upper(btrim(l.match_rule)) as match_rule_raw,
    landing.text_or_null(l.decided_by) as decided_by,
    landing.moment_slash(l.decided_on)::date as decided_on,
    l.version_id
  from landing.cross_reference__link l
  where l.known_to is null and not l.is_removed
), once as (
  select distinct on (old_key, new_key, load_number) * from stated
   order by old_key, new_key, load_number, decided_on desc nulls last, version_id
), later as (
  select o.old_key, o.load_number, o.decided_on, min(n.decided_on) as next_decided_on
    from (select distinct old_key, load_number, decided_on from once) as o
    inner join once as n
      on n.old_key = o.old_key and n.load_number = o.load_number and n.decided_on > o.decided_on
   group by o.old_key, o.load_number, o.decided_on
)
select
  o.old_key || '|' || o.new_key || '|' || o.load_number as cross_reference_key,
  nullif(current_setting('onestory.option_old', true), '') as old_source,
  o.old_key,
  nullif(current_setting('onestory.option_new', true), '') as new_source,
  o.new_key,
  o.load_number,
  coalesce(o.load_number >= nullif(current_setting('onestory.option_go_live_load', true), '')::integer, false)
    as is_evidence,
  rule.clean as match_rule,
  o.match_rule_raw,
  o.decided_by,
  o.decided_on,
  o.decided_on as valid_from,
  later.next_decided_on as valid_to,
  'cross_reference__link' as landed_dataset,
  o.version_id as landed_version_id
from once o
left join later
  on later.old_key = o.old_key and later.load_number = o.load_number and later.decided_on = o.decided_on
left join landing.code_map as rule
  on rule.source = 'cross_reference' and rule.code_set = 'match_rule' and rule.raw = o.match_rule_raw
