set role onestory_owner;
create table quarantine.held_row (                   -- whole rows, encrypted, with a reason and a way back (CTL-16)
  held_id     bigint generated always as identity primary key,
  landed_id   bigint not null,
  file_id     bigint not null,
  dataset     text not null,
  line        bigint not null,
  rule        text not null,                         -- the first rule that holds it; all of them in rules
  rules       text[] not null,
  row_key     text not null,                         -- keyed digest of the row's key, not the key
  content     bytea not null,                        -- the original record, encrypted
  first_seen_at timestamptz not null default clock_timestamp(),
  tries       integer not null default 0,
  state       text not null default 'held' check (state in ('held', 'released', 'discarded')),
  state_reason text not null default '', decided_by text not null default '',
  unique (file_id, dataset, line)
);

create table core.current_release (                  -- the one pointer; flipping it publishes
  only_row boolean primary key default true check (only_row),
  number   integer not null,
  token    bigint not null
);
reset role;
