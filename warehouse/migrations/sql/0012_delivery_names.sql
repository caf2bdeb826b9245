-- The other names the same content came under: each is told of once (F13).
set role onestory_owner;
alter table ledger.delivery add column also_named text[] not null default '{}';
reset role;
