-- A new model version never changes who is who by itself: what it would change for this council is compared and kept, and
-- named officers approve it. Both tables are only ever added to (linkage handbook 7.2 and 10).
set role onestory_owner;
create table ledger.model_comparison (
  comparison_id bigint generated always as identity primary key,
  made_at       timestamptz not null default clock_timestamp(),
  made_by       text not null check (made_by <> ''),
  from_version  text not null,
  to_version    text not null,
  from_files    text not null,                       -- sha256 of the files of each version
  to_files      text not null,
  input_digest  text not null,                       -- everything both were run on, and the version that would be new
  as_known_at   timestamptz not null,
  report_digest text not null unique,                -- what an approval names
  report        jsonb not null,                      -- counts and patterns only
  check (from_version <> to_version)
);
create table ledger.model_adoption (
  adoption_id   bigint generated always as identity primary key,
  comparison_id bigint references ledger.model_comparison,   -- none where an approval was taken back
  approved_at   timestamptz not null default clock_timestamp(),
  from_version  text not null,
  to_version    text not null,
  to_files      text not null,
  report_digest text not null,
  officers      text[] not null check (cardinality(officers) > 0 and not ('' = any(officers))),
  reason        text not null check (reason <> ''),
  explained     jsonb not null default '[]',         -- obstacles of the report that the council had explained
  check ((comparison_id is null) = (from_version = to_version))
);
reset role;
