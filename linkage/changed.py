"""Which records have changed since the run before: those whose digest has.

One digest is over everything that a comparison or a blocking rule reads, the blocks left out for size included; the
other over what the choice of a person's best values reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def write_digests(calculation: duckdb.DuckDBPyConnection, table: str, records: str = "standard") -> None:
    """Fill `table` with both digests of the records in `records`, whose blocks are in `left_out_key`."""
    calculation.execute(f"""
        create or replace temp table {table} as
        with one as (select record_id from {records}),
             keys as (select record_id, bit_xor(key) as keys, count(*) as blocks from left_out_key group by record_id),
             stated as (select record_id, count(*) || ':' || sum(hash(other, kind)) as pairs
                          from (select left_id as record_id, right_id as other, by_mark as kind from stated_pair
                                 where left_id in (from one)
                                union all select right_id, left_id, by_mark from stated_pair
                                 where right_id in (from one)) group by record_id),
             place as (select source_record_id as record_id, max(valid_from) as since from source_address
                        where valid_to is null and source_record_id in (from one) group by source_record_id)
        select s.record_id, md5(concat_ws('|', s::varchar, k.keys, k.blocks, t.pairs)) as standard_digest,
               md5(concat_ws('|', p.forename, p.surname, p.death_date, p.sex, p.ethnicity_code, p.postcode,
                 p.gp_practice_code, p.is_marked_duplicate, p.known_from, a.since)) as detail_digest
          from {records} s
          join source_person p on p.source_record_id = s.record_id
          left join keys k using (record_id) left join stated t using (record_id)
          left join place a using (record_id)""")


def find_changed(calculation: duckdb.DuckDBPyConnection) -> None:
    """Fill `changed`: records that are new, different or gone, from `digest_now` and `digest_before`."""
    calculation.execute("""
        create or replace table changed as
        select record_id from digest_now n full join digest_before b using (record_id)
         where n.standard_digest is distinct from b.standard_digest""")
