-- Core zone: what is believed of each person and their care, keyed by the lasting person id, on both clocks. No names,
-- no NHS numbers, no addresses, no local person ids, no full birth dates (governance 1). valid_from/valid_to is the
-- world's clock; known_from/known_to is ours, counted in releases: a row is shown by every release whose moment lies in
-- [known_from, known_to). landed_dataset and landed_version_id name the extract line a row came from.
set role onestory_owner;

create table core.event (                            -- gives each event its internal number, once, for ever
  event_id  bigint generated always as identity primary key,
  kind      text not null check (kind in ('request', 'assessment', 'review', 'service', 'characteristic', 'caring', 'referral', 'contact')),
  source    text not null,
  event_key text not null,                           -- the supplier's own key; shown to nobody but the returns officer
  unique (kind, source, event_key)
);

create table core.person (
  version_id     bigint generated always as identity primary key,
  person_id      text not null,
  birth_month    date check (extract(day from birth_month) = 1),
  sex            text check (sex in ('1', '2', '9')),
  ethnicity_code text,
  death_date     date,
  valid_from     date generated always as (birth_month) stored,
  valid_to       date generated always as (death_date) stored,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

create table core.identity (                         -- which supplier records are this person, and by which rule
  version_id       bigint generated always as identity primary key,
  person_id        text not null,
  source_record_id bigint not null,                  -- internal number of the supplier's record
  source           text not null,
  is_client        boolean, is_carer boolean,
  reason           text not null,
  link_weight      double precision,                 -- of the strongest link to another record of the person; null when none was scored
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create index identity_person on core.identity (person_id);

create table core.request (
  version_id bigint generated always as identity primary key,
  event_id bigint not null, person_id text not null, source text not null, client_type text not null,
  start_date date, end_date date, recorded_at timestamptz,
  route_of_access text, route_of_access_raw text,
  primary_support_reason text, primary_support_reason_raw text,
  outcomes text[] not null, outcomes_raw text,
  description text, status text not null check (status in ('open', 'completed', 'cancelled')),
  valid_from date generated always as (start_date) stored, valid_to date generated always as (end_date) stored,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

create table core.assessment (
  version_id bigint generated always as identity primary key,
  event_id bigint not null, person_id text not null, source text not null, client_type text not null,
  start_date date, end_date date, recorded_at timestamptz,
  assessment_type text, assessment_type_raw text, eligible_needs text, method text, method_raw text,
  primary_support_reason text, primary_support_reason_raw text,
  outcomes text[] not null, outcomes_raw text,
  description text, status text not null check (status in ('open', 'completed', 'cancelled')),
  valid_from date generated always as (start_date) stored, valid_to date generated always as (end_date) stored,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

create table core.review (
  version_id bigint generated always as identity primary key,
  event_id bigint not null, person_id text not null, source text not null, client_type text not null,
  due_date date, start_date date, end_date date, recorded_at timestamptz,
  review_reason text, review_reason_raw text, outcomes_achieved text, method text, method_raw text,
  primary_support_reason text, primary_support_reason_raw text,
  outcomes text[] not null, outcomes_raw text,
  description text, status text not null check (status in ('open', 'completed', 'cancelled')),
  valid_from date generated always as (start_date) stored, valid_to date generated always as (end_date) stored,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

create table core.service (
  version_id bigint generated always as identity primary key,
  event_id bigint not null, person_id text not null, source text not null, client_type text not null,
  start_date date, end_date date, recorded_at timestamptz,
  service_type text, service_type_raw text, service_component text, service_component_raw text,
  delivery_mechanism text, delivery_mechanism_raw text,
  primary_support_reason text, primary_support_reason_raw text,
  provider_name text, cqc_location_id text,
  unit_cost numeric(18, 2), unit_cost_raw text, cost_frequency text, planned_units numeric(18, 2),
  outcomes text[] not null, outcomes_raw text,
  description text, status text not null check (status in ('open', 'completed', 'cancelled')),
  valid_from date generated always as (start_date) stored, valid_to date generated always as (end_date) stored,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

create table core.characteristic (
  version_id bigint generated always as identity primary key,
  event_id bigint not null, person_id text not null, source text not null,
  kind text not null, value text, value_raw text, valid_from date, valid_to date,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

create table core.caring (                           -- person_id is the carer
  version_id bigint generated always as identity primary key,
  event_id bigint not null, person_id text not null, cared_for_person_id text not null, source text not null,
  valid_from date, valid_to date,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

create table core.referral (
  version_id bigint generated always as identity primary key,
  event_id bigint not null, person_id text not null, source text not null, organisation_code text,
  referral_date date, discharge_date date, recorded_at timestamptz,
  referral_source text, service text, urgency text, primary_reason text, discharge_reason text,
  valid_from date generated always as (referral_date) stored, valid_to date generated always as (discharge_date) stored,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

create table core.contact (
  version_id bigint generated always as identity primary key,
  event_id bigint not null, person_id text not null, source text not null, organisation_code text,
  contact_type text not null check (contact_type in ('visit', 'appointment')),
  referral_event_id bigint,                          -- null: no referral named, or one that has not arrived
  start_at timestamptz, is_date_only boolean not null, duration_minutes integer, status text, recorded_at timestamptz,
  valid_from timestamptz, valid_to timestamptz,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);

-- What the publisher may know of a person and of a supplier's record: nothing that tells who it is (CTL-2).
create view identity.person_outline with (security_barrier) as
  select version_id, person_id, date_trunc('month', birth_date::timestamp)::date as birth_month,
         sex, ethnicity_code, death_date, known_from, known_to
    from identity.person_detail;

create view identity.record_outline with (security_barrier) as
  select version_id, source_record_id, source, is_client, is_carer, landed_dataset, landed_version_id, known_from, known_to
    from identity.source_person;

create view identity.membership_strength with (security_barrier) as
  with linked as (
    select left_record_id, right_record_id, match_weight
      from identity.link where decision = 'link' and match_weight is not null and known_to is null
  ), both_ways as (
    select left_record_id as source_record_id, right_record_id as other_record_id, match_weight from linked
    union all
    select right_record_id, left_record_id, match_weight from linked
  )
  select b.source_record_id, max(b.match_weight) as link_weight
    from both_ways b
    inner join identity.membership m on m.source_record_id = b.source_record_id and m.known_to is null
    inner join identity.membership o on o.source_record_id = b.other_record_id and o.known_to is null and o.person_id = m.person_id
   group by b.source_record_id;
reset role;

-- One current version per key, promised by the database.
create unique index person_now on core.person (person_id) where known_to is null;
create unique index identity_now on core.identity (source_record_id) where known_to is null;
do $$
declare t text;
begin
  foreach t in array array['request','assessment','review','service','characteristic','caring','referral','contact'] loop
    execute format('create unique index %I on core.%I (event_id) where known_to is null', t || '_now', t);
  end loop;
end $$;
