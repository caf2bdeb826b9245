-- How far a link run had read: the last version of a source person's row. What is newer at the next run has changed
-- since it was believed who is who; a key that was given to somebody else keeps no id by that (governance F47).
set role onestory_owner;
alter table ledger.link_run add column persons_seen bigint;   -- null: a run from before this was noted
reset role;
