"""Make source records comparable, once: every later step reads the table `standard` that this module fills.

Distinct values are cleaned in Python by the shared parsers (NHS number, postcode) and by `names.py`; the rest is one
SQL statement over DuckDB. Whatever depends on the whole (communal postcodes, dates that are too frequent) is a column
too, so that a change of it marks exactly the records it concerns as changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from domain.identifiers import NhsNumberReason, PostcodeReason, parse_nhs_number, parse_postcode
from linkage.model import Model
from linkage.names import nickname_groups, skeleton, standardise_name

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


#: What facts about all records are counted from: one row a record, and one for each postcode it ever gave.
BASES = {
    "base": """
        select p.source_record_id as record_id, p.source, p.birth_date, coalesce(s.joined, '') as surname_joined,
               case when length(regexp_replace(p.telephone, '[^0-9]', '', 'g')) between 10 and 13
                    then right(regexp_replace(p.telephone, '[^0-9]', '', 'g'), 10) end as telephone,
               case when p.email like '%_@_%' then lower(trim(p.email)) end as email, n.reason as number_reason
          from todo_person p
          left join name_form s on s.raw = p.surname
          left join number_form n on n.raw = p.nhs_number_supplied""",
    "base_place": """
        select p.source_record_id as record_id, f.postcode, true as is_current
          from todo_person p join postcode_form f on f.raw = p.postcode
        union
        select a.source_record_id, f.postcode, false from todo_address a join postcode_form f on f.raw = a.postcode
         semi join todo_person p using (source_record_id)""",
}

#: What depends on all records. It is counted anew on every run and never frozen, so that order cannot matter.
FACTS: Mapping[str, str] = {
    # A date that far too many records of one source share is what people type when they do not know; 1 January of a
    # plausible year stays, as estimated.
    "fact_common_date": """
        select source, birth_date from base
         where birth_date is not null and not (month(birth_date) = 1 and day(birth_date) = 1)
         group by all having count(*) > greatest(20, 0.002 * (select count(*) from base))""",
    # Care homes, hostels, hospitals: many unrelated people behind one postcode.
    "fact_communal": """
        select pl.postcode from (from base_place) pl join base b using (record_id)
         group by pl.postcode having count(distinct b.surname_joined) >= (select communal_surnames from setting)""",
    # A number or address that many records carry is the team's or the home's.
    "fact_contact": """
        select telephone as contact from base where telephone is not null group by 1 having count(*) > 8
        union all select email from base where email is not null group by 1 having count(*) > 8""",
}


@dataclass(frozen=True, slots=True)
class StandardisedCounts:
    """What cleaning found, in counts only: number verdicts by reason, per source (F33, F34)."""

    number_reasons: Mapping[str, Mapping[str, int]]


def standardise(
    calculation: duckdb.DuckDBPyConnection,
    persons: pa.Table,
    addresses: pa.Table,
    references: pa.Table,
    *,
    model: Model,
    synthetic: bool,
) -> StandardisedCounts:
    """Fill the table `standard` of `calculation` from the current source rows.

    Args:
        calculation: a DuckDB connection; tables of earlier runs in it are replaced.
        persons: rows of `identity.source_person`.
        addresses: rows of `identity.source_address`.
        references: rows of `identity.source_reference`.
        model: its name frequencies are joined to the names.
        synthetic: whether NHS numbers of the test range count as numbers (only in a synthetic council).
    """
    for name, table in (("source_person", persons), ("source_address", addresses), ("source_reference", references)):
        calculation.register(name, table)
        calculation.execute(f"create or replace temp view {name.replace('source', 'todo')} as from {name}")
    load_settings(calculation, model)
    load_forms(calculation, synthetic=synthetic)
    for table, select in (*BASES.items(), *FACTS.items(), ("standard", standard_rows())):
        calculation.execute(f"create or replace table {table} as {select}")
    return StandardisedCounts(reasons_by_source(calculation))


def standard_rows() -> str:
    """The select of the standardised rows of the records in `todo_person`, from what is known of all."""
    return (files("linkage") / "sql" / "standardise.sql").read_text(encoding="utf-8")


def load_forms(calculation: duckdb.DuckDBPyConnection, *, synthetic: bool) -> None:
    """Clean the distinct values of the rows in `todo_person`, `todo_address` and `todo_reference`."""
    _load_number_forms(calculation, synthetic=synthetic)
    _load_postcode_forms(calculation)
    _load_name_forms(calculation)


def _distinct(calculation: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [row[0] for row in calculation.execute(query).fetchall()]


def _register(calculation: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, pa.Array]) -> None:
    import pyarrow as pa

    calculation.register(name, pa.table(dict(columns)))


def _load_number_forms(calculation: duckdb.DuckDBPyConnection, *, synthetic: bool) -> None:
    import pyarrow as pa

    raw = _distinct(
        calculation,
        """select distinct nhs_number_supplied from todo_person
                                     where nhs_number_supplied is not null order by 1""",
    )
    verdicts = [parse_nhs_number(text, allow_test_range=synthetic) for text in raw]
    _register(
        calculation,
        "number_form",
        {
            "raw": pa.array(raw, pa.string()),
            "nhs_number": pa.array([v.number for v in verdicts], pa.string()),
            "reason": pa.array([v.reason.value for v in verdicts], pa.string()),
        },
    )


def _load_postcode_forms(calculation: duckdb.DuckDBPyConnection) -> None:
    import pyarrow as pa

    raw = _distinct(
        calculation,
        """select postcode from todo_person where postcode is not null
                                    union select postcode from todo_address where postcode is not null order by 1""",
    )
    verdicts = ((text, parse_postcode(text)) for text in raw)
    # Pseudo-postcodes (ZZ99) are never compared (sources 10).
    usable = [(text, v.postcode) for text, v in verdicts if v.reason is PostcodeReason.VALID]
    _register(
        calculation,
        "postcode_form",
        {
            "raw": pa.array([text for text, _ in usable], pa.string()),
            "postcode": pa.array([postcode for _, postcode in usable], pa.string()),
        },
    )


def _load_name_forms(calculation: duckdb.DuckDBPyConnection) -> None:
    import pyarrow as pa

    fields = ("forename", "middle_names", "known_as", "surname", "previous_surname")
    query = " union ".join(f"select {field} from todo_person where {field} is not null" for field in fields)
    raw = _distinct(
        calculation,
        f"""{query} union select reference_value from todo_reference
                                      where reference_type in ('former_surname', 'alias') order by 1""",
    )
    forms = [standardise_name(text) for text in raw]
    texts = pa.list_(pa.string())
    _register(
        calculation,
        "name_form",
        {
            "raw": pa.array(raw, pa.string()),
            "joined": pa.array([f.joined for f in forms], pa.string()),
            "tokens": pa.array([list(f.tokens) for f in forms], texts),
            "others": pa.array([list(f.others) for f in forms], texts),
        },
    )
    words = sorted({word for f in forms for word in (f.joined, *f.tokens) if word})
    _register(
        calculation,
        "name_sound",
        {
            "word": pa.array(words, pa.string()),
            "skeleton": pa.array([skeleton(w) for w in words], pa.string()),
        },
    )


def load_settings(calculation: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Make the model's name frequencies and lines known to the statements, and the groups of nicknames."""
    import pyarrow as pa

    calculation.register("name_share", model.name_shares())
    _register(
        calculation,
        "setting",
        {
            "communal_surnames": pa.array([model.bands.communal_surnames], pa.int32()),
            "name_floor": pa.array([model.bands.name_floor], pa.float64()),
            "full_name_floor": pa.array([model.bands.full_name_floor], pa.float64()),
        },
    )
    pairs = [(word, number) for word, numbers in nickname_groups().items() for number in numbers]
    _register(
        calculation,
        "nickname_of",
        {
            "word": pa.array([w for w, _ in pairs], pa.string()),
            "nickname_group": pa.array([n for _, n in pairs], pa.int32()),
        },
    )


def reasons_by_source(calculation: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """What became of the numbers that the sources supplied, counted: source, reason, records."""
    found: dict[str, dict[str, int]] = {}
    for source, reason, records in calculation.execute(f"""
        select source, coalesce(number_reason, '{NhsNumberReason.MISSING}'), count(*) from base
         group by all order by all""").fetchall():
        found.setdefault(source, {})[reason] = records
    return found
