"""Since when a supplier's key has another bearer, so that the build can keep the former bearer's work apart.

The link run is the only one that may look at who somebody is; what it notes tells nothing of that (governance F47).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

# The new bearer is told of since the delivery that held the row, not since a person let the row pass. Who has the birth
# date of an earlier bearer, and the number or the name as well, is that bearer again: the row was let pass by mistake.
_NOTE = """
with seen as (select persons_seen as mark from ledger.link_run order by link_run_id desc limit 1),
told as (select p.* from identity.source_person p where source_record_id = any(%(records)s)),
prior as (
  select distinct on (source_record_id) source_record_id, birth_date from told, seen
   where version_id <= mark order by source_record_id, version_id desc),
first_told as (
  select distinct on (v.source_record_id) v.source_record_id, v.known_from, v.landed_dataset, v.landed_version_id
    from told v join prior o using (source_record_id) cross join seen
   where v.version_id > seen.mark and v.birth_date <> o.birth_date order by v.source_record_id, v.version_id),
arrived as (
  select f.source_record_id, d.as_known_at
    from first_told f join (select distinct dataset from ledger.landed_table) t on t.dataset = f.landed_dataset
   cross join lateral ledger.landed_line(t.dataset, f.landed_version_id) l
    join ledger.file i on i.file_id = l.file_id join ledger.delivery d on d.delivery_id = i.delivery_id),
earlier as (
  select b.source_record_id, b.former_bearer, o.birth_date, o.nhs_number_supplied, o.forename, o.surname
    from identity.new_bearer b cross join lateral (
      select v.* from told v where v.source_record_id = b.source_record_id and v.known_from < b.since
       order by v.version_id desc limit 1) o),
back as (
  select e.source_record_id, min(e.former_bearer) as bearer
    from earlier e join told n on n.source_record_id = e.source_record_id and n.known_to is null
   where n.birth_date = e.birth_date
     and (n.nhs_number_supplied = e.nhs_number_supplied
          or (upper(n.forename) = upper(e.forename) and upper(n.surname) = upper(e.surname)))
   group by e.source_record_id),
numbered as (
  select source_record_id, max(bearer) as highest, (array_agg(bearer order by since desc))[1] as last
    from identity.new_bearer where source_record_id = any(%(records)s) group by source_record_id),
until_now as (
  select distinct on (source_record_id) source_record_id, person_id from identity.membership
   where source_record_id = any(%(records)s) order by source_record_id, version_id desc)
insert into identity.new_bearer (source_record_id, since, former_bearer, bearer, former_person_id)
select f.source_record_id, least(f.known_from, a.as_known_at), coalesce(n.last, 0),
       coalesce(b.bearer, coalesce(n.highest, 0) + 1), u.person_id
  from first_told f
  left join arrived a using (source_record_id)
  left join back b using (source_record_id)
  left join numbered n using (source_record_id)
  left join until_now u using (source_record_id)
 where coalesce(b.bearer, -1) <> coalesce(n.last, 0) order by 1
on conflict do nothing"""


def note(connection: Connection, records: Collection[int]) -> None:
    """Note that the keys of those records have another bearer than at the last run, since when, and who had them.

    To be called in the transaction that publishes the run, before its memberships and its line in the ledger: both
    tell what was believed until now.
    """
    if records:
        connection.exec_driver_sql(_NOTE, {"records": sorted(records)})
