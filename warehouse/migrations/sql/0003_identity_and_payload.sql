-- Identity zone: who a source record says somebody is. Payload zone: what happened to them, keyed only by an internal
-- number. The two never share columns (governance 1, CTL-2). Every table keeps both clocks: valid (the world's) where it
-- applies, known (ours) always; known_to null = what we believe now.
set role onestory_owner;

create table identity.source_record (                -- gives each supplier record its internal number, once, for ever
  source_record_id  bigint generated always as identity primary key,
  source            text not null,                   -- systmone, liquidlogic, carefirst
  source_person_key text not null,                   -- the supplier's key; systmone: visible_to || ':' || row_id
  unique (source, source_person_key)
);

create table identity.source_person (
  version_id        bigint generated always as identity primary key,
  source_record_id  bigint not null references identity.source_record,
  source            text not null,
  source_person_key text not null,
  title text, forename text, middle_names text, surname text, previous_surname text, known_as text,
  nhs_number_supplied text,                          -- exactly as sent
  nhs_number_verified boolean,                       -- status 01 / SpineMatched; null when there is no number
  birth_date date, birth_date_estimated boolean,
  death_date date,
  sex text check (sex in ('1', '2', '9')),           -- 1 male, 2 female, 9 indeterminate; null not known
  ethnicity_code text,                               -- national A..S, Z not stated, 99 not known; null missing
  postcode text,                                     -- of the address to use for linking, as supplied
  address_text text,                                 -- its lines, joined
  uprn text,
  telephone text,
  email text,
  gp_practice_code text,
  is_client boolean not null default true,
  is_carer boolean not null default false,
  is_restricted boolean not null default false,
  duplicate_of_key text,                             -- the supplier says this record lost to that one (same source)
  is_marked_duplicate boolean not null default false,
  landed_dataset text not null, landed_version_id bigint not null,      -- the line it came from
  row_digest text not null,
  known_from timestamptz not null, known_to timestamptz
);

create table identity.source_address (
  version_id        bigint generated always as identity primary key,
  source_record_id  bigint not null references identity.source_record,
  source text not null, source_person_key text not null, address_key text not null,
  address_type text,                                 -- home, placement, temporary, correspondence, previous
  line_text text, postcode text, uprn text,
  valid_from date, valid_to date,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

create table identity.source_reference (             -- other systems' ids typed into this one, other names
  version_id        bigint generated always as identity primary key,
  source_record_id  bigint not null references identity.source_record,
  source text not null, source_person_key text not null, reference_key text not null,
  reference_type text not null,                      -- systmone_key, liquidlogic_key, carefirst_key, former_surname, alias
  reference_value text not null,
  valid_from date, valid_to date,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

-- Written by linkage ------------------------------------------------------------------------------------------------
create table identity.person (                       -- a lasting, opaque id; never derived from a record or a number
  person_id     text primary key,
  born_at       timestamptz not null,                -- known-clock moment of its birth
  status        text not null default 'active' check (status in ('active', 'retired')),
  superseded_by text references identity.person,
  split_from    text references identity.person
);

create table identity.membership (                   -- which person a source record belongs to; history only ever added to
  version_id       bigint generated always as identity primary key,
  source_record_id bigint not null references identity.source_record,
  person_id        text not null references identity.person,
  reason           text not null,                    -- the strongest rule that put it there: single, nhs_verified, …
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

create table identity.link (                         -- every scored or ruled pair that matters, with its evidence
  version_id       bigint generated always as identity primary key,
  left_record_id   bigint not null references identity.source_record,
  right_record_id  bigint not null references identity.source_record,
  rule             text not null,                    -- nhs_verified, nhs_cross_checked, cross_reference, marked_duplicate, probabilistic
  decision         text not null check (decision in ('link', 'review', 'reject')),
  reason           text not null default '',         -- why it went to review: conflict, twin guard, weak, …
  match_weight     double precision,
  levels           jsonb not null default '{}',      -- comparison -> {level, weight}
  model_version    text not null,
  decided_by       text not null,                    -- linkage engine or the reviewer
  row_digest text not null, known_from timestamptz not null, known_to timestamptz,
  check (left_record_id < right_record_id)
);

create table identity.decision (                     -- what people decided; outranks every later run
  decision_id      bigint generated always as identity primary key,
  left_record_id   bigint not null references identity.source_record,
  right_record_id  bigint not null references identity.source_record,
  answer           text not null check (answer in ('same', 'not_same', 'cannot_tell')),
  reviewer         text not null, reason text not null,
  decided_at       timestamptz not null default clock_timestamp(),
  withdrawn_at     timestamptz,
  check (left_record_id < right_record_id)
);

create table identity.person_detail (                -- the best value of each identifier, with the source named (survivorship)
  version_id   bigint generated always as identity primary key,
  person_id    text not null references identity.person,
  nhs_number text, nhs_number_verified boolean, forename text, surname text,
  birth_date date, death_date date, sex text, ethnicity_code text, postcode text, gp_practice_code text,
  value_sources jsonb not null default '{}',         -- field -> source
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

-- Payload zone ------------------------------------------------------------------------------------------------------
-- Codes are the clean ones of domain/codes (CLD Release 2 wording for care); the supplier's own code stands beside.
create table payload.request (
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  client_type text not null, start_date date, end_date date, recorded_at timestamptz,
  route_of_access text, route_of_access_raw text,
  primary_support_reason text, primary_support_reason_raw text,
  outcomes text[] not null default '{}', outcomes_raw text,
  description text, status text not null check (status in ('open', 'completed', 'cancelled')),
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create table payload.assessment (
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  client_type text not null, start_date date, end_date date, recorded_at timestamptz,
  assessment_type text, assessment_type_raw text, eligible_needs text, method text, method_raw text,
  primary_support_reason text, primary_support_reason_raw text,
  outcomes text[] not null default '{}', outcomes_raw text,
  description text, status text not null check (status in ('open', 'completed', 'cancelled')),
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create table payload.review (
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  client_type text not null, due_date date, start_date date, end_date date, recorded_at timestamptz,
  review_reason text, review_reason_raw text, outcomes_achieved text, method text, method_raw text,
  primary_support_reason text, primary_support_reason_raw text,
  outcomes text[] not null default '{}', outcomes_raw text,
  description text, status text not null check (status in ('open', 'completed', 'cancelled')),
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create table payload.service (
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  client_type text not null, start_date date, end_date date, recorded_at timestamptz,
  service_type text, service_type_raw text, service_component text, service_component_raw text,
  delivery_mechanism text, delivery_mechanism_raw text,
  primary_support_reason text, primary_support_reason_raw text,
  provider_name text, cqc_location_id text,
  unit_cost numeric(18, 2), unit_cost_raw text, cost_frequency text, planned_units numeric(18, 2),
  outcomes text[] not null default '{}', outcomes_raw text,
  description text, status text not null check (status in ('open', 'completed', 'cancelled')),
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create table payload.characteristic (                -- dated facts about the person that returns ask for
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  kind text not null,       -- primary_support_reason, accommodation_status, employment_status, has_unpaid_carer, autism,
                            -- visual_impairment, hearing_impairment, dementia, client_funding_status, hours_caring
  value text, value_raw text, valid_from date, valid_to date,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create table payload.caring (                        -- an unpaid carer cares for an adult
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,   -- the carer
  cared_for_record_id bigint not null,
  valid_from date, valid_to date,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create table payload.referral (                      -- community health
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  organisation_code text, referral_date date, discharge_date date, recorded_at timestamptz,
  referral_source text, service text, urgency text, primary_reason text, discharge_reason text,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create table payload.contact (                       -- community visits and appointments
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  organisation_code text, contact_type text not null check (contact_type in ('visit', 'appointment')),
  referral_event_key text, start_at timestamptz, is_date_only boolean not null default false,
  duration_minutes integer, status text, recorded_at timestamptz,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
reset role;

-- One current version per natural key, promised by the database.
create unique index source_person_now on identity.source_person (source, source_person_key) where known_to is null;
create unique index source_address_now on identity.source_address (source, address_key) where known_to is null;
create unique index source_reference_now on identity.source_reference (source, reference_key) where known_to is null;
create unique index membership_now on identity.membership (source_record_id) where known_to is null;
create unique index link_now on identity.link (left_record_id, right_record_id) where known_to is null;
create unique index person_detail_now on identity.person_detail (person_id) where known_to is null;
create index membership_person on identity.membership (person_id) where known_to is null;
do $$
declare t text;
begin
  foreach t in array array['request','assessment','review','service','characteristic','caring','referral','contact'] loop
    execute format('create unique index %I on payload.%I (source, event_key) where known_to is null', t || '_now', t);
  end loop;
end $$;
