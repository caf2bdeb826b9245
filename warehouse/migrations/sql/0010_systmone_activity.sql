-- What community health does beside referrals and contacts: stays in a community hospital, care plans, questionnaires.
-- Same clocks and book-keeping as the events of 0003. No words that people typed are kept, only what kind and when.
set role onestory_owner;

create table payload.hospital_stay (                 -- one admission to a community hospital
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  organisation_code text, referral_event_key text,
  admission_date date, discharge_date date, recorded_at timestamptz,
  admission_method text, admission_source text, discharge_destination text,
  ward text,                                         -- of the stay on a ward begun last
  ready_for_discharge_date date, delay_start_date date, delay_end_date date,
  delay_reason text, delay_responsibility text,
  status text not null check (status in ('planned', 'open', 'completed', 'cancelled')),
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create table payload.care_plan (                     -- a plan of care, and when it was last looked at
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  organisation_code text, referral_event_key text,
  start_date date, end_date date, recorded_at timestamptz,
  category text, plan_name text,                     -- of the template, not the person
  frequency text, review_due_date date, last_review_date date,
  status text not null check (status in ('open', 'completed', 'cancelled')),
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create table payload.questionnaire_answered (        -- that a questionnaire was filled in; what was answered is not taken
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  organisation_code text, answered_at timestamptz, is_date_only boolean not null default false, recorded_at timestamptz,
  questionnaire_name text, questionnaire_version text,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

-- A clinical contact that is neither a visit nor an appointment: a call, a letter, a talk with somebody else.
alter table payload.contact drop constraint contact_contact_type_check,
  add constraint contact_contact_type_check check (contact_type in ('visit', 'appointment', 'contact_event'));
alter table core.contact drop constraint contact_contact_type_check,
  add constraint contact_contact_type_check check (contact_type in ('visit', 'appointment', 'contact_event'));

-- Some extracts write the quotes around the number that stands for nobody.
create or replace function landing.id_or_null(value text) returns text language sql immutable parallel safe
return case when upper(btrim(value)) in ('', '-1', '''-1''', '0', 'NULL', 'N/A') then null else btrim(value) end;

-- A label of a pick list as people read it: retired items carry zz in front, whatever comes between.
create function landing.label_of(value text) returns text language sql immutable parallel safe
return nullif(btrim(regexp_replace(regexp_replace(value, '^ *zz[ -]*', '', 'i'), '\s+', ' ', 'g')), '');
reset role;

create unique index hospital_stay_now on payload.hospital_stay (source, event_key) where known_to is null;
create unique index care_plan_now on payload.care_plan (source, event_key) where known_to is null;
create unique index questionnaire_answered_now on payload.questionnaire_answered (source, event_key)
  where known_to is null;
