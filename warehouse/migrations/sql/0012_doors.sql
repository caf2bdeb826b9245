-- What a source's door left out: children, what came before an eighteenth birthday, legally restricted facts (governance
-- CHI-2, SEN-2). Counts and keyed digests only; the person table's digests let a delta be judged without its person.
set role onestory_owner;

create table ledger.left_out_person (
  source        text not null,
  person_digest text not null,                       -- HMAC of the person's key under the council's secret
  until         date not null,                       -- the eighteenth birthday; 9999-01-01 where nobody knows it
  primary key (source, person_digest)
);

-- Rows of the file that were left out before its Parquet was written; `records` counts all rows that were read.
alter table ledger.landed_table add column left_out bigint not null default 0;
alter table ledger.exclusion add column sealed_digests bytea not null default '';  -- of those rows, 16 bytes each
reset role;
