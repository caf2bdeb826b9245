-- Rows of the new system that wait because what they hang on was never delivered. Grain: one row per held row.
select h.dataset, h.file_id, h.line
  from quarantine.held_row h
 where h.state = 'held' and 'REF-001' = any(h.rules) and starts_with(h.dataset, {new} || '__')
