-- What the national tracing service says of the records we asked about, and the account of every exchange. The answers
-- live in the identity zone: they hold NHS numbers.
set role onestory_owner;

create table ledger.trace_request (                  -- one line per file sent: counts only, so every send is on the record
  request_name  text primary key,
  asked_at      timestamptz not null,
  asked         integer not null,
  file_sha256   text not null,
  state         text not null default 'asked' check (state in ('asked', 'answered', 'refused', 'lapsed')),
  answered_at   timestamptz,
  verified      integer not null default 0,
  clashing      integer not null default 0,
  not_found     integer not null default 0,
  unreadable    integer not null default 0,          -- answers that contradict themselves
  unanswered    integer not null default 0,
  superseded    integer not null default 0,          -- of the verified: the number sent had been replaced
  disposed_at   timestamptz,                         -- when the sealed copies of both files were deleted
  constraint every_question_is_accounted_for check
    (state not in ('answered', 'lapsed') or asked = verified + clashing + not_found + unreadable + unanswered)
);

create table identity.trace_answer (
  version_id       bigint generated always as identity primary key,
  source_record_id bigint not null references identity.source_record,
  request_name     text not null,
  asked_digest     text not null,                    -- over what was sent: an answer about other details is stale
  status           text not null check (status in ('01', '04', '05')),
  matched_number   text,
  person_id_type   text not null,
  mps_id           text,
  step             text not null,
  is_superseded    boolean not null,
  is_several       boolean not null,
  score            double precision not null,
  feature_scores   jsonb not null default '{}',
  known_from       timestamptz not null, known_to timestamptz
);
create unique index trace_answer_now on identity.trace_answer (source_record_id) where known_to is null;

-- What an answer was about: the details that identify. One definition for whoever asks and whoever uses the answer.
create function identity.trace_digest(person identity.source_person) returns text language sql immutable parallel safe
return encode(sha256(convert_to(concat_ws('|', person.nhs_number_supplied, person.forename, person.surname,
  person.birth_date::text, person.sex), 'UTF8')), 'hex');

-- The number of every current record as linking is to see it: the service's word, where it was asked about these very
-- details, stands above what the source system says of itself.
create view identity.number_status as
select p.source_record_id,
       case when t.status = '01' then t.matched_number else p.nhs_number_supplied end as nhs_number,
       case when t.status = '01' then true when t.status in ('04', '05') then false
            else p.nhs_number_verified end as is_verified,
       case when t.status is not null then t.status when p.nhs_number_supplied is null then '03'
            when p.nhs_number_verified then '01' else '02' end as status,
       t.is_superseded
  from identity.source_person p
  left join identity.trace_answer t
    on t.source_record_id = p.source_record_id and t.known_to is null and t.asked_digest = identity.trace_digest(p)
 where p.known_to is null;
reset role;
