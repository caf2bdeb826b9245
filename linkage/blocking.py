"""Which pairs to compare: the union of many tight rules, each an equality join, and what every rule produced.

A rule is a select of (record_id, value); records that share a value are a block. Blocks above the cap of the model are
left out – communal names and dates would otherwise grow with the square of a council – and counted. Because the keys
that stay are part of a record's digest, a delta run finds exactly the pairs a full run would (linkage handbook 6 and
11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.run import StageFailure
from linkage.model import Bands

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class BlockingRule:
    """One way to find candidates.

    `select` yields record_id and value; `is_identifier` rules say nothing of demographics.
    """

    name: str
    select: str
    is_identifier: bool = False
    cap: int | None = None  # a tighter cap than the model's, for a rule that means rare values only


@dataclass(frozen=True, slots=True)
class RuleCount:
    """What one rule produced: its pairs, its largest block, and the blocks and records left out by the cap."""

    rule: str
    pairs: int
    largest_block: int
    blocks_left_out: int
    largest_left_out: int


@dataclass(frozen=True, slots=True)
class BlockingCounts:
    """Candidates of one run: rule by rule over all current records, and the pairs compared in this run."""

    rules: tuple[RuleCount, ...]
    pairs_compared: int
    possible_pairs: int


# Whoever is protected is compared with nobody by name, date or place: the number alone may find them (PRO-1).
_OPEN = "(from standard where is_restricted is not distinct from false)"


def _keyed(value: str, where: str = "true", source: str = _OPEN) -> str:
    return f"select record_id, {value} as value from {source} where {where}"


_BOTH_NAMES = f"(select *, unnest(surnames) as any_surname from {_OPEN} where forename is not null)"
_FULL = "least(forename, any_surname) || ' ' || greatest(forename, any_surname)"  # exchanged names meet as well
_WORD = f"(select *, unnest(list_distinct(given_names || surnames)) as word from {_OPEN})"
_PLACE = f"(select *, unnest(postcodes) as place from {_OPEN})"

RULES: Sequence[BlockingRule] = (
    BlockingRule("NHS number", _keyed("nhs_number", source="standard"), is_identifier=True),
    BlockingRule("birth date and any part of the name", _keyed("birth_text || word", source=_WORD)),
    BlockingRule("birth date and a postcode ever given", _keyed("birth_text || place", source=_PLACE)),
    BlockingRule("birth date, sex and outcode", _keyed("birth_text || sex || outcode")),
    BlockingRule("birth date, sex and first three letters of surname", _keyed("birth_text || sex || left(surname, 3)")),
    BlockingRule("birth date and sound of forename", _keyed("birth_text || forename_sound")),
    BlockingRule("birth date and sound of surname", _keyed("birth_text || surname_sound")),
    BlockingRule("full name and year of birth", _keyed(f"{_FULL} || left(birth_text, 4)", source=_BOTH_NAMES)),
    BlockingRule(
        "full name and day and month of birth", _keyed(f"{_FULL} || right(birth_text, 4)", source=_BOTH_NAMES)
    ),
    BlockingRule("full name and outcode", _keyed(f"{_FULL} || outcode", source=_BOTH_NAMES)),
    BlockingRule("full name", _keyed(_FULL, source=_BOTH_NAMES)),
    BlockingRule(
        "sound of full name and year of birth", _keyed("forename_sound || ' ' || surname_sound || left(birth_text, 4)")
    ),
    BlockingRule(
        "initials, year and month of birth", _keyed("left(forename, 1) || left(surname, 1) || left(birth_text, 6)")
    ),
    BlockingRule(
        "surname, sex, year and day of birth", _keyed("surname || sex || left(birth_text, 4) || right(birth_text, 2)")
    ),
    BlockingRule(
        "a postcode ever given and first letter of forename", _keyed("place || left(forename, 1)", source=_PLACE)
    ),
    BlockingRule(
        "a postcode ever given and first letter of surname", _keyed("place || left(surname, 1)", source=_PLACE)
    ),
    BlockingRule("a postcode ever given and forename", _keyed("place || forename", source=_PLACE)),
    BlockingRule("rare part of the name", _keyed("word", "length(word) > 3", source=_WORD), cap=10),
    BlockingRule("telephone", _keyed("telephone")),
    BlockingRule("electronic mail", _keyed("email")),
)


def make_keys(calculation: duckdb.DuckDBPyConnection, bands: Bands) -> tuple[RuleCount, ...]:
    """Fill `block_key` (rule, key, record_id) with the blocks that will be compared, and count each rule's work.

    The keys that the cap leaves out are in `left_out_key`.
    """
    calculation.execute(f"create or replace table all_block_key as {keys_of('standard')}")
    divide_blocks(calculation, bands)
    calculation.execute("""create or replace table block_size as
        select rule, records, count(*) as blocks from block group by all""")
    return rule_counts(calculation, bands)


def keys_of(table: str) -> str:
    """The select of every key (rule, key, record_id) of the standardised records in `table`."""
    return " union all ".join(
        f"select distinct {number}::utinyint as rule, hash({number}, value) as key, record_id from "
        f"({rule.select.replace('from standard', f'from {table}')}) where value is not null"
        for number, rule in enumerate(RULES)
    )


def caps(bands: Bands) -> str:
    """The largest block of every rule that is still compared, as an SQL list."""
    return f"[{', '.join(str(2**31 if rule.is_identifier else rule.cap or bands.block_cap) for rule in RULES)}]"


def divide_blocks(calculation: duckdb.DuckDBPyConnection, bands: Bands) -> None:
    """Fill `block`, `block_key` and `left_out_key` from the keys in `all_block_key`."""
    calculation.execute(f"""create or replace temp table block as
        select key, any_value(rule) as rule, count(*) as records,
          count(*) > ({caps(bands)})[any_value(rule) + 1] as is_left_out
          from all_block_key group by key having count(*) > 1""")
    calculation.execute("""create or replace temp table block_key as
        select k.rule, k.key, k.record_id from all_block_key k join block b using (key) where not b.is_left_out""")
    calculation.execute("""create or replace temp table left_out_key as
        select k.key, k.record_id from all_block_key k join block b using (key) where b.is_left_out""")


def rule_counts(calculation: duckdb.DuckDBPyConnection, bands: Bands) -> tuple[RuleCount, ...]:
    """The work of every rule, from `block_size`: rule, records in a block, number of such blocks."""
    counts = calculation.execute(f"""
        select rule, coalesce(sum(blocks * (records * (records - 1) // 2)) filter (where not is_left_out), 0)::bigint,
               coalesce(max(records) filter (where not is_left_out), 0),
               coalesce(sum(blocks) filter (where is_left_out), 0)::bigint,
               coalesce(max(records) filter (where is_left_out), 0)
          from (select *, records > ({caps(bands)})[rule + 1] as is_left_out from block_size)
         group by rule order by rule""").fetchall()
    return tuple(RuleCount(RULES[rule].name, *rest) for rule, *rest in counts)


def make_pairs(
    calculation: duckdb.DuckDBPyConnection, bands: Bands, rules: tuple[RuleCount, ...], *, only_changed: bool
) -> BlockingCounts:
    """Fill `pair`: left_id < right_id, and which kind of rule found it.

    With `only_changed`, pairs with at least one record in the table `changed`. Raises `StageFailure` when one rule
    makes more pairs than the model allows for the number of records; the message names the rule, never the value.
    """
    records = int(calculation.execute("select count(*) from standard").fetchall()[0][0])
    _refuse_flood(rules, records * bands.pair_limit_per_record)
    identifiers = ", ".join(str(n) for n, rule in enumerate(RULES) if rule.is_identifier)
    changed = "(select * from block_key semi join changed using (record_id))" if only_changed else "block_key"
    order = "a.record_id <> b.record_id" if only_changed else "a.record_id < b.record_id"
    calculation.execute(f"""create or replace table pair as
        select left_id, right_id, bool_or(by_demographics) as by_demographics, bool_or(by_reference) as by_reference,
               bool_or(by_mark) as by_mark
          from (select least(a.record_id, b.record_id) as left_id, greatest(a.record_id, b.record_id) as right_id,
                       a.rule not in ({identifiers}) as by_demographics, false as by_reference, false as by_mark
                  from {changed} a join block_key b on a.key = b.key and {order}
                union all
                select left_id, right_id, false, by_reference, by_mark from stated_pair {
        "where left_id in (from changed) or right_id in (from changed)" if only_changed else ""
    })
         group by left_id, right_id""")
    compared = int(calculation.execute("select count(*) from pair").fetchall()[0][0])
    return BlockingCounts(rules, compared, records * (records - 1) // 2)


def make_stated_pairs(calculation: duckdb.DuckDBPyConnection) -> None:
    """Fill `stated_pair`: pairs a source itself names, by another system's id or by marking a duplicate (sources 9.1).

    Protected records are not among them (governance PRO-1).
    """
    for table, select in statements_of("standard", "source_reference").items():
        calculation.execute(f"create or replace table {table} as {select}")
    calculation.execute(f"create or replace table stated_pair as {stated('named', 'known_as')}")


def statements_of(standard: str, references: str) -> dict[str, str]:
    """Two selects: the ids that records are known as, and the ids by which they name other records or mark them."""
    unprotected = f"(from {standard} where is_restricted is not distinct from false)"
    return {
        "known_as": f"""
            select record_id, source, source_person_key as id, true as is_whole from {unprotected}
            union
            select record_id, source, split_part(source_person_key, ':', -1), false from {unprotected}
            union                       -- a number with zeros in front and a check letter behind, as people type it
            select record_id, source, ltrim(source_person_key, '0'), false from {unprotected}
             where regexp_matches(source_person_key, '^[0-9]+[A-Z]$')
            union
            select record_id, source, ltrim(left(source_person_key, -1), '0'), false from {unprotected}
             where regexp_matches(source_person_key, '^[0-9]+[A-Z]$')""",
        "named": f"""
            with typed as (
              select s.record_id, s.source, r.reference_type, trim(r.reference_value) as id
                from {references} r join {unprotected} s on s.record_id = r.source_record_id
               where r.reference_type like '%\\_key' escape '\\'
            )
            select *, false as by_mark from typed
            union
            select record_id, source, reference_type, ltrim(regexp_extract(upper(id), '[0-9]+[A-Z]?$'), '0'), false
              from typed where regexp_matches(upper(id), '^[A-Z/ -]*[0-9]+[A-Z]?$')
            union
            select record_id, source, source || '_key', duplicate_of_key, true from {unprotected}
             where duplicate_of_key is not null""",
    }


def stated(named: str, known_as: str) -> str:
    """The select of the pairs (left_id, right_id, by_reference, by_mark) that records in `named` make with `known_as`.

    Another system's id may be typed in part; a mark names a whole key of its own system.
    """
    return f"""
        select distinct least(n.record_id, k.record_id) as left_id, greatest(n.record_id, k.record_id) as right_id,
               not n.by_mark as by_reference, n.by_mark
          from {named} n join {known_as} k on k.id = n.id and n.reference_type = k.source || '_key'
         where case when n.by_mark then k.is_whole and n.record_id <> k.record_id else k.source <> n.source end"""


def _refuse_flood(rules: tuple[RuleCount, ...], limit: int) -> None:
    for rule in rules:
        if rule.pairs > limit:
            raise StageFailure(
                f"Linking stopped before scoring: the blocking rule '{rule.rule}' makes {rule.pairs} pairs, above the "
                f"limit of {limit}; its largest block holds {rule.largest_block} records.",
                remedy="Look for a value that many records share (a placeholder) and treat it as missing.",
                retry_helps=False,
            )
