-- Rows of either system that wait in quarantine: they cannot be compared. Grain: one row per table and first rule.
select split_part(h.dataset, '__', 1) as source, h.dataset, h.rule, count(*) as waiting
  from quarantine.held_row h
 where h.state = 'held' and split_part(h.dataset, '__', 1) in ({old}, {new}, 'cross_reference')
 group by h.dataset, h.rule
