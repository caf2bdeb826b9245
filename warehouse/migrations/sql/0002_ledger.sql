-- The account that proves nothing was lost (governance 5.3). Counts, hashes and names of files; never a value of a person.
set role onestory_owner;

create table ledger.run (
  run_id        text not null,
  stage         text not null,                       -- land, check, conform, link, build, return
  scope         text not null default '',            -- the source, for stages that work per source
  started_at    timestamptz not null default clock_timestamp(),
  ended_at      timestamptz,
  state         text not null default 'running' check (state in ('running', 'done', 'held', 'refused', 'quarantined', 'stopped')),
  actor         text not null,
  code_version  text not null,
  settings_hash text not null default '',
  counts        jsonb not null default '{}',
  messages      jsonb not null default '[]',
  peak_mib      integer,                             -- the most memory the process held while it ran
  entry_id      bigint generated always as identity primary key
);

create table ledger.delivery (                       -- one set of files (or one snapshot) from one source
  delivery_id  bigint generated always as identity primary key,
  source       text not null,
  name         text not null,                        -- the supplier's name for it: folder, dump date, snapshot moment
  content_hash text not null,                        -- over the hashes of its files; the same content is recognised by it
  mode         text not null check (mode in ('bulk', 'delta', 'full')),
  window_from  timestamptz,                          -- lower bound of the extract window; null for a bulk
  as_known_at  timestamptz not null,                 -- upper bound: what the supplier knew at this moment
  state        text not null check (state in ('landed', 'checked', 'conformed', 'held', 'refused', 'repeat')),
  code         text not null default '',             -- why held or refused
  message      text not null default '',
  first_seen_at timestamptz not null default clock_timestamp(),
  last_seen_at timestamptz not null default clock_timestamp(),
  times_seen   integer not null default 1,
  unique (source, content_hash)
);

create table ledger.file (
  file_id       bigint generated always as identity primary key,
  delivery_id   bigint not null references ledger.delivery,
  name          text not null,
  size_bytes    bigint not null,
  sha256        text not null,
  physical_lines bigint,                             -- counted from bytes, apart from the parser (CTL-13); null for a database read
  records       bigint not null,                     -- logical records, header not counted
  raw_path      text not null,                       -- where the write-once original is
  unique (delivery_id, name)
);

create table ledger.landed_table (                   -- one table read from one file, ready for the check stage
  landed_id    bigint generated always as identity primary key,
  delivery_id  bigint not null references ledger.delivery,
  file_id      bigint not null references ledger.file,
  dataset      text not null,                        -- systmone__patient, liquidlogic__person …
  mode         text not null check (mode in ('bulk', 'delta', 'full', 'keys')),
  parquet_path text not null,
  records      bigint not null,
  findings     jsonb not null default '[]',          -- drift: unknown, missing or moved columns
  state        text not null default 'landed' check (state in ('landed', 'checked', 'held', 'refused')),
  unique (file_id, dataset)
);

create table ledger.row_account (                    -- CTL-12, enforced by the database itself
  file_id      bigint not null references ledger.file,
  dataset      text not null,
  read         bigint not null,
  inserted     bigint not null default 0,
  updated      bigint not null default 0,
  unchanged    bigint not null default 0,
  duplicate    bigint not null default 0,
  superseded   bigint not null default 0,
  quarantined  bigint not null default 0,
  excluded_by_policy bigint not null default 0,
  closed_by_absence bigint not null default 0,       -- rows ended because a full read no longer holds them; not rows read
  primary key (file_id, dataset),
  constraint every_row_is_accounted_for check
    (read = inserted + updated + unchanged + duplicate + superseded + quarantined + excluded_by_policy)
);

create table ledger.exclusion (
  file_id  bigint not null references ledger.file,
  dataset  text not null,
  reason   text not null,
  rows     bigint not null,
  row_digests text[] not null default '{}',          -- keyed digests, not content
  primary key (file_id, dataset, reason)
);

create table ledger.rule_result (                    -- counts and keys, never values
  landed_id  bigint not null references ledger.landed_table,
  rule       text not null,                          -- code of the rule, e.g. PER-001
  severity   text not null check (severity in ('hold', 'warn', 'info')),
  evaluated  bigint not null,
  failed     bigint not null,
  primary key (landed_id, rule)
);

create table ledger.verdict (
  landed_id bigint primary key references ledger.landed_table,
  verdict   text not null check (verdict in ('accepted', 'warned', 'held', 'refused')),
  message   text not null default ''
);

create table ledger.lease (                          -- who works on a flow; the token fences off whoever lost it (CTL-10, F78)
  name     text primary key,
  holder   text not null,
  token    bigint not null,
  taken_at timestamptz not null default clock_timestamp()
);

create table ledger.release (
  number       integer primary key,
  as_known_at  timestamptz not null,
  published_at timestamptz not null default clock_timestamp(),
  token        bigint not null,
  digest       text not null,
  gates        jsonb not null default '{}'
);

create table ledger.link_run (                       -- one row per completed link run: method, counts, estimates
  link_run_id   bigint generated always as identity primary key,
  run_id        text not null,
  as_known_at   timestamptz not null,
  model_version text not null,
  input_digest  text not null,
  report        jsonb not null                       -- the linkage report as data (governance 4.1), counts only
);

create table ledger.prepared_return (
  return_id    bigint generated always as identity primary key,
  collection   text not null,                        -- client_level_data
  release      integer not null,
  period_start date not null,
  period_end   date not null,
  rows         bigint not null,
  errors       bigint not null,
  file_sha256  text not null,
  status       text not null check (status in ('submission', 'partial', 'failed_validation')),
  facts        jsonb not null default '{}'
);
reset role;
