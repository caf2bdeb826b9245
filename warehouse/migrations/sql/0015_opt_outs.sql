-- The national opt-out check (governance OPT-3 to OPT-6). Answers live in a zone of their own, as keyed digests, apart from
-- every table of people; the ledger has the counts, so that nobody's answer can be read from it.
create schema eligibility authorization onestory_owner;
set role onestory_owner;

create table ledger.opt_out_check (                  -- one line per request file
  request_name text primary key,
  local_id     text not null unique,                 -- our reference; the answer must repeat it
  asked_at     timestamptz not null,
  asked        integer not null,
  file_sha256  text not null,
  state        text not null default 'noted' check (state in ('noted', 'asked', 'answered', 'refused', 'split', 'lapsed')),
  answered_at  timestamptz,
  usable       integer not null default 0,
  removed      integer not null default 0,
  invalid      integer not null default 0,
  unanswered   integer not null default 0,
  split_from   text references ledger.opt_out_check,
  constraint every_number_is_accounted_for check        -- OPT-6; a request that was split is accounted for by its halves
    (state in ('noted', 'asked', 'split') or asked = usable + removed + invalid + unanswered)
);

create table eligibility.checked_number (            -- the latest answer about a number; it expires by its age
  number_digest text primary key,                    -- keyed; the number cannot be found from it without the key
  is_usable     boolean not null,
  request_name  text not null,
  answered_at   timestamptz not null
);
reset role;
