-- What suppliers sent that nobody specified, and what people are asked about it. Headings and counts; never a value.
set role onestory_owner;

create table ledger.unknown_column (                 -- kept in the side store of the landing zone until somebody decides
  source            text not null,
  dataset           text not null,
  column_name       text not null,                   -- the supplier's heading
  first_delivery_id bigint not null references ledger.delivery,
  last_delivery_id  bigint not null references ledger.delivery,
  rows_filled       bigint not null,                 -- rows in which it held something, over all deliveries
  times_seen        integer not null default 1,
  status            text not null default 'new' check (status in ('new', 'reviewed', 'mapped')),
  first_seen_at     timestamptz not null default clock_timestamp(),
  primary key (source, dataset, column_name)
);

create table ledger.column_question (                -- a heading that may stand for a mandatory column, or a column of another shape
  source         text not null,
  supplier_table text not null,
  heading        text not null,
  column_name    text not null,
  evidence       text not null,                      -- in words: names alike, same place, same shape
  read_as        text not null default '',           -- the date style the values have now
  delivery_name  text not null,
  status         text not null default 'open' check (status in ('open', 'accepted')),
  asked_at       timestamptz not null default clock_timestamp(),
  decided_at     timestamptz,
  decided_by     text not null default '',
  primary key (source, supplier_table, heading, column_name)
);
reset role;
