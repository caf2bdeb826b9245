-- Records and pairs that no run may ever link, held by a named officer (governance PRO-4), and the two review queues: the
-- ordinary one, and the restricted one that shows neither reason nor evidence (governance PRO-1, PRO-3).
set role onestory_owner;
create table identity.do_not_link (
  entry_id         bigint generated always as identity primary key,
  source_record_id bigint not null references identity.source_record,
  other_record_id  bigint references identity.source_record,     -- null: not with any other record
  officer          text not null check (officer <> ''),
  reason           text not null check (reason <> ''),
  listed_at        timestamptz not null default clock_timestamp(),
  ended_at         timestamptz,
  ended_by         text not null default '',
  check (source_record_id < other_record_id),
  check (ended_at is null or ended_by <> '')
);
create view identity.ordinary_review with (security_barrier) as
  select left_record_id, right_record_id, rule, reason, match_weight, levels, model_version, known_from
    from identity.link where known_to is null and decision = 'review' and reason <> 'restricted';
create view identity.restricted_review with (security_barrier) as
  select left_record_id, right_record_id, known_from
    from identity.link where known_to is null and decision = 'review' and reason = 'restricted';
reset role;
