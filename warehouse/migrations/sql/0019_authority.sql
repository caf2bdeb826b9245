-- What officers say about people and tracing: the do-not-trace list (governance PRO-4), and who took a decision back and why
-- (REV-7: an event reverses an event). Officers are named in words; a person only by the internal number of a record.
set role onestory_owner;
create table identity.do_not_trace (
  entry_id         bigint generated always as identity primary key,
  source_record_id bigint not null references identity.source_record,
  officer          text not null check (officer <> ''),
  reason           text not null check (reason <> ''),
  valid_from       date not null,                      -- the time the order is for; an order without end has none
  valid_to         date check (valid_to >= valid_from),
  known_from       timestamptz not null default clock_timestamp(),
  known_to         timestamptz,
  ended_by         text not null default '',
  check (known_to is null or ended_by <> '')
);
create index do_not_trace_record on identity.do_not_trace (source_record_id) where known_to is null;

alter table identity.decision
  add column second_reviewer text not null default '',   -- agreed to it, where readers had seen the people concerned
  add column withdrawn_by text not null default '',
  add column withdrawal_reason text not null default '';
reset role;
