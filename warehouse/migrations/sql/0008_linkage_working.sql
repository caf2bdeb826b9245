-- What linkage keeps from one run to the next so that only changed records are compared again (linkage handbook 11).
set role onestory_owner;
create table identity.standardised_record (          -- working state, no history: one digest a record, never its content
  source_record_id bigint primary key references identity.source_record,
  standard_digest  text not null                     -- over everything a comparison or a blocking rule reads
);

-- What a pair says by itself, before groups are formed; `decision` and `reason` say what became of it in its group.
alter table identity.link
  add column pair_decision text not null default 'review' check (pair_decision in ('link', 'review', 'reject')),
  add column pair_reason text not null default '',
  add column weight_without_number double precision,
  add column found_without_identifier boolean not null default false,
  add column numbers text not null default 'missing' check (numbers in ('same', 'different', 'different_verified', 'missing'));
reset role;
