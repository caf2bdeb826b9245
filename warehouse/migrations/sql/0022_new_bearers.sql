-- Supplier keys that were given to somebody else (governance F47): noted by the link run that found it, only ever added to.
-- The bearers of a key are counted from 0; one who comes back has the number from before. Nothing here tells who they are.
set role onestory_owner;
create table identity.new_bearer (
  source_record_id bigint not null references identity.source_record,
  since            timestamptz not null,             -- known clock: the delivery that first told of the new bearer
  former_bearer    integer not null,
  bearer           integer not null,
  former_person_id text references identity.person,  -- who the record was until then; null: nobody
  noted_at         timestamptz not null default clock_timestamp(),
  primary key (source_record_id, since),
  check (bearer <> former_bearer)
);

-- Work of former bearers that is still delivered under such a key: whose it is, or that it is withheld. Written anew by
-- every build (core/former_work.sql); empty where no key ever had a second bearer.
create table core.former_work (
  event_id            bigint primary key,
  kind                text not null,
  source              text not null,
  event_key           text not null,
  person_id           text,                          -- null: not this part of the event, or nobody who is known
  cared_for_person_id text,
  is_withheld         boolean not null,
  unique (kind, source, event_key)
);
reset role;
