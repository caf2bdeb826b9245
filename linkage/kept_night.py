"""A night of few changes: bring what is kept up to date, and find which records have to be compared again.

Records whose source rows differ are standardised; so are those that a changed fact about all records concerns (a
postcode become communal, a date become common, a shared telephone). Records whose blocks cross their cap, or whom
another record names from now on, are compared again as well. The work grows with what changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linkage import blocking
from linkage.changed import write_digests
from linkage.inputs import Changes
from linkage.kept import Kept
from linkage.model import Model
from linkage.standardise import (
    BASES,
    FACTS,
    StandardisedCounts,
    load_forms,
    load_settings,
    reasons_by_source,
    standard_rows,
)

if TYPE_CHECKING:
    import duckdb

_TOUCHED = "postcode in (from touched_postcode)"
_SOURCES = ("person", "address", "reference")


def refresh(
    calculation: duckdb.DuckDBPyConnection, kept: Kept, changes: Changes, model: Model, *, synthetic: bool
) -> tuple[StandardisedCounts, tuple[blocking.RuleCount, ...]]:
    """Fill `standard` and the tables that comparing reads, for the records near a change; the others stay as kept.

    `digest_now` and `digest_before` hold the records that could differ, `concerned` names them.
    """
    calculation.execute("begin; drop table kept.about")  # from here on the file is no run's, until it is finished
    load_settings(calculation, model)
    _take_in(calculation, changes)
    _standardise(calculation, synthetic=synthetic)
    _refresh_stated(calculation)
    rules = _refresh_blocks(calculation, model)
    _refresh_digests(calculation)
    calculation.execute("commit")
    calculation.execute("create or replace temp view edges_read as from kept.edge")
    return StandardisedCounts(reasons_by_source(calculation)), rules


def every_block(calculation: duckdb.DuckDBPyConnection, model: Model) -> None:
    """The blocks of all records, for a night on which comparing everything is cheaper after all."""
    calculation.execute("create or replace temp view all_block_key as from kept.all_block_key")
    blocking.divide_blocks(calculation, model.bands)


def _take_in(calculation: duckdb.DuckDBPyConnection, changes: Changes) -> None:
    """Replace the source rows of the records that are new, different or gone; their numbers are in `todo`."""
    calculation.register("changed_read", changes.records)
    calculation.execute("create or replace temp table todo as from changed_read")
    for kind, rows in zip(
        _SOURCES, (changes.rows.persons, changes.rows.addresses, changes.rows.references), strict=True
    ):
        calculation.register(f"todo_{kind}", rows)
        _replace(calculation, f"source_{kind}", f"todo_{kind}", "source_record_id")
    for table in ("base", "base_place", "standard"):
        calculation.execute(f"create or replace temp view {table} as from kept.{table}")


def _standardise(calculation: duckdb.DuckDBPyConnection, *, synthetic: bool) -> None:
    load_forms(calculation, synthetic=synthetic)
    for table, select in BASES.items():
        calculation.execute(f"create or replace temp table {table}_new as {select}")
    calculation.execute("""create or replace temp table touched_postcode as
        select postcode from base_place where record_id in (from todo) union select postcode from base_place_new""")
    for table in BASES:
        _replace(calculation, table, f"{table}_new")
    if _find_concerned(calculation):
        for kind in _SOURCES:
            calculation.unregister(f"todo_{kind}")
            calculation.execute(f"""create or replace temp table todo_{kind} as from source_{kind}
                where source_record_id in (from todo)""")
        load_forms(calculation, synthetic=synthetic)
    calculation.execute(f"create or replace temp table standard_new as {standard_rows()}")
    _replace(calculation, "standard", "standard_new")


def _find_concerned(calculation: duckdb.DuckDBPyConnection) -> bool:
    """Count the facts about all records anew, and add to `todo` whom a difference concerns; whether there are any."""
    for fact, select in FACTS.items():
        before = f"(from kept.{fact})"
        if fact == "fact_communal":  # the one that is dear to count: of the postcodes of changed records only
            select = select.replace("(from base_place)", f"(from base_place where {_TOUCHED})")
            before = f"(from kept.{fact} where {_TOUCHED})"
        calculation.execute(f"create or replace temp table {fact}_new as {select}")
        calculation.execute(f"""create or replace temp table {fact}_differs as
            (from {fact}_new except from {before}) union all (from {before} except from {fact}_new)""")
        calculation.execute(f"delete from kept.{fact} where {'true' if fact != 'fact_communal' else _TOUCHED}")
        calculation.execute(f"insert into kept.{fact} by name from {fact}_new")
        calculation.execute(f"create or replace temp view {fact} as from kept.{fact}")
    calculation.execute("""create or replace temp table concerned_by_fact as
        select record_id from (
          select record_id from base semi join fact_common_date_differs using (source, birth_date)
          union select record_id from base_place where postcode in (from fact_communal_differs)
          union select record_id from base where telephone in (from fact_contact_differs)
             or email in (from fact_contact_differs)) concerned anti join todo using (record_id)""")
    calculation.execute("insert into todo from concerned_by_fact")
    return bool(calculation.execute("select 1 from concerned_by_fact limit 1").fetchall())


def _replace(calculation: duckdb.DuckDBPyConnection, table: str, fresh: str, key: str = "record_id") -> None:
    calculation.execute(f"delete from kept.{table} where {key} in (from todo)")
    calculation.execute(f"insert into kept.{table} by name from {fresh}")
    calculation.execute(f"create or replace temp view {table} as from kept.{table}")


def _refresh_stated(calculation: duckdb.DuckDBPyConnection) -> None:
    """Replace the pairs that the records in `todo` state or are stated in; fill `concerned` with whom that concerns."""
    for table, select in blocking.statements_of("standard_new", "todo_reference").items():
        calculation.execute(f"create or replace temp table {table}_new as {select}")
        _replace(calculation, table, f"{table}_new")
    calculation.execute(f"""create or replace temp table stated_new as
        {blocking.stated("named_new", "kept.known_as")} union {blocking.stated("kept.named", "known_as_new")}""")
    touching = "kept.stated_pair where left_id in (from todo) or right_id in (from todo)"
    calculation.execute(f"create or replace temp table stated_before as from {touching}")
    calculation.execute("""create or replace temp table concerned as
        with differs as ((from stated_new except from stated_before) union (from stated_before except from stated_new))
        from todo union select left_id from differs union select right_id from differs""")
    calculation.execute(f"delete from {touching}")
    calculation.execute("insert into kept.stated_pair by name from stated_new")
    calculation.execute("create or replace temp view stated_pair as from kept.stated_pair")


def _refresh_blocks(calculation: duckdb.DuckDBPyConnection, model: Model) -> tuple[blocking.RuleCount, ...]:
    """Replace the keys of the records in `todo`; add to `concerned` the members of blocks that crossed their cap, and
    fill the block tables with every block of those concerned."""
    caps = blocking.caps(model.bands)
    calculation.execute(f"create or replace temp table key_new as {blocking.keys_of('standard_new')}")
    calculation.execute("""create or replace temp table near_key as
        select key from key_new union select key from kept.all_block_key where record_id in (from todo)""")
    calculation.execute("""create or replace temp table near_before as
        select *, record_id in (from todo) as is_todo from kept.all_block_key where key in (from near_key)""")
    _replace(calculation, "all_block_key", "key_new")
    calculation.execute("""create or replace temp table near_now as
        select rule, key, record_id from near_before where not is_todo union all from key_new""")
    calculation.execute("""create or replace temp table size_change as
        select key, coalesce(n.rule, b.rule) as rule, coalesce(b.records, 0) as before, coalesce(n.records, 0) as now
          from (select key, any_value(rule) as rule, count(*) as records from near_before group by key) b
          full join (select key, any_value(rule) as rule, count(*) as records from near_now group by key) n using (key)
         where n.records is distinct from b.records""")
    calculation.execute("""create or replace table kept.block_size as
        select rule, records, sum(blocks)::bigint as blocks from (
          from kept.block_size
          union all select rule, before, -count(*) from size_change where before > 1 group by all
          union all select rule, now, count(*) from size_change where now > 1 group by all) counted
         group by all having sum(blocks) <> 0""")
    calculation.execute("create or replace temp view block_size as from kept.block_size")
    calculation.execute(f"""insert into concerned
        select distinct record_id from near_before semi join
          (from size_change where (before > {caps}[rule + 1]) <> (now > {caps}[rule + 1])) crossed using (key)
         where record_id not in (from concerned)""")
    _gather_blocks(calculation)
    blocking.divide_blocks(calculation, model.bands)
    return blocking.rule_counts(calculation, model.bands)


def _gather_blocks(calculation: duckdb.DuckDBPyConnection) -> None:
    """Every key, with all its records, of the records in `concerned`: most of them are at hand already."""
    calculation.execute("create or replace temp table further as from concerned where record_id not in (from todo)")
    calculation.execute("""create or replace temp table further_key as
        select distinct key from kept.all_block_key where record_id in (from further) and key not in (from near_key)""")
    calculation.execute("""create or replace temp table all_block_key_near as
        select rule, key, record_id from near_now
        union all select rule, key, record_id from kept.all_block_key where key in (from further_key)""")
    calculation.execute("create or replace temp view all_block_key as from all_block_key_near")


def _refresh_digests(calculation: duckdb.DuckDBPyConnection) -> None:
    calculation.execute("""create or replace temp table digest_before as
        from kept.digest where record_id in (from concerned)""")
    calculation.execute("""create or replace temp table concerned_standard as from standard_new
        union all by name from kept.standard where record_id in (from further)""")
    write_digests(calculation, "digest_now", "concerned_standard")
    calculation.execute("delete from kept.digest where record_id in (from concerned)")
    calculation.execute("insert into kept.digest by name from digest_now")
