-- What people must be told, and what they decided about it: incidents, notices about who is who, reviewed columns. Names,
-- hashes and pseudonymous numbers; never a value of a person.
set role onestory_owner;

create table ledger.incident (                       -- opened from an alarm and never changed (governance INC-2, INC-3)
  incident_id  bigint generated always as identity primary key,
  opened_at    timestamptz not null default clock_timestamp(),
  code         text not null,                        -- of the finding that opened it: FOREIGN_ORGANISATION, HASH_DIFFERS …
  source       text not null,
  about        text not null,                        -- the delivery, or the place it was to be brought from
  content_hash text not null default '',
  message      text not null,
  tell         text not null,                        -- who has to know
  evidence     jsonb not null default '{}'           -- frozen: the run's line, the release of that moment, hashes of files
);

create table ledger.incident_note (                  -- what was done about it; one that closes it says so
  note_id     bigint generated always as identity primary key,
  incident_id bigint not null references ledger.incident,
  noted_at    timestamptz not null default clock_timestamp(),
  noted_by    text not null check (noted_by <> ''),
  note        text not null check (note <> ''),
  closes      boolean not null default false
);

alter table ledger.unknown_column
  add column reviewed_by text not null default '',
  add column reviewed_at timestamptz,
  add column review      text not null default '',   -- the outcome of the impact assessment, in words
  add constraint a_review_has_an_author_and_a_reason
    check (status <> 'reviewed' or (reviewed_by <> '' and review <> '' and reviewed_at is not null));

create table ledger.notice (                         -- an authorised notice about who is who (governance PRO-3, F36 to F38)
  notice_id       bigint generated always as identity primary key,
  kind            text not null check (kind in ('number_replaced', 'merged', 'split')),
  left_record_id  bigint not null references identity.source_record,
  right_record_id bigint not null references identity.source_record,
  left_person_id  text references identity.person,   -- whom they were taken for when the notice came
  right_person_id text references identity.person,
  decision_id     bigint not null references identity.decision,
  reference       text not null check (reference <> ''),       -- of the notice itself, where it is filed
  first_officer   text not null check (first_officer <> ''),
  second_officer  text not null check (second_officer <> '' and second_officer <> first_officer),
  noted_at        timestamptz not null default clock_timestamp(),
  check (left_record_id < right_record_id)
);

-- Who was shown what: every record in every release, as the person it was shown as then and the one it belongs to now.
create view ledger.shown_in_release with (security_barrier) as
  select r.number as release, r.published_at, i.source_record_id, i.person_id, m.person_id as person_id_now
    from ledger.release r
    join core.identity i on i.known_from <= r.as_known_at and (i.known_to is null or i.known_to > r.as_known_at)
    left join identity.membership m on m.source_record_id = i.source_record_id and m.known_to is null;
reset role;
