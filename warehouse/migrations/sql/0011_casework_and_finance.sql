-- What care work does beside assessing and arranging services: who is involved with a person, concerns and enquiries,
-- deprivations of liberty; and what finance pays for. Same clocks and book-keeping as the events of 0003.
-- Codes are clean ones; the supplier's own code stands beside.
set role onestory_owner;

create table payload.involvement (                   -- a worker or a team is responsible for somebody
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  team_code text, worker_key text,                   -- the supplier's keys: workers have no names here
  role text, role_raw text,                          -- allocated worker, duty, reviewing, other
  start_date date, end_date date, recorded_at timestamptz,
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create table payload.safeguarding (                  -- one concern about an adult at risk, and the enquiry it led to
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  concern_date date, enquiry_start_date date, concluded_date date, recorded_at timestamptz,
  enquiry_type text, enquiry_type_raw text,          -- section 42, other; null while it is only a concern
  risk_outcome text, risk_outcome_raw text,          -- remains, reduced, removed
  msp_asked text, msp_asked_raw text,                -- Making Safeguarding Personal: was the person asked for their wishes
  case_status text not null check (case_status in ('open', 'completed', 'cancelled')),
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create table payload.dols (                          -- one application for a deprivation-of-liberty authorisation
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  received_date date, decided_date date, start_date date, end_date date, recorded_at timestamptz,
  decision text, decision_raw text,                  -- granted, not granted; null while nothing is decided
  place_kind text, place_kind_raw text,              -- care home, hospital
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
create table payload.finance_line (                  -- a funded service line as the finance system has it
  version_id bigint generated always as identity primary key,
  source text not null, event_key text not null, source_record_id bigint not null,
  external_event_key text,                           -- the case system's event it pays for: service:<its id>
  start_date date, end_date date, recorded_at timestamptz,
  planned_units numeric(18, 2), planned_units_raw text,
  unit_cost numeric(18, 2), unit_cost_raw text, cost_frequency text, cost_frequency_raw text,
  service_type text, service_type_raw text, provider_name text, cqc_location_id text,
  status text not null check (status in ('open', 'completed', 'cancelled')),
  landed_dataset text not null, landed_version_id bigint not null,
  row_digest text not null, known_from timestamptz not null, known_to timestamptz
);
reset role;

create unique index involvement_now on payload.involvement (source, event_key) where known_to is null;
create unique index safeguarding_now on payload.safeguarding (source, event_key) where known_to is null;
create unique index dols_now on payload.dols (source, event_key) where known_to is null;
create unique index finance_line_now on payload.finance_line (source, event_key) where known_to is null;
create index finance_line_external on payload.finance_line (external_event_key) where known_to is null;
