"""The floor of the linkage benchmark: the tutorial model of Splink written out by hand as one SQL statement.

What a careful analyst could write for this one model and these nine rules; it reads the weights from the model file and
gives Splink's to within rounding. An engine that takes any model cannot be expected to be much faster.
"""

from __future__ import annotations

import json
from math import log2
from pathlib import Path
from typing import Any, Final

import duckdb  # loaded before the clock starts

from onestory.bench_linkage_child import Clock
from onestory.bench_linkage_data import Files, connect
from onestory.bench_linkage_models import RULES, identifier_sql

assert duckdb
# Everything that is asked of one record is asked once, before any pair.
_RECORD: Final = """
create table {name} as
select *, row_number() over () as number, try_strptime(birth_date, '%Y-%m-%d')::date as born,
       left(postcode, length(postcode) - 2) as sector, split_part(postcode, ' ', 1) as outcode,
       regexp_extract(postcode, '^[A-Z]{{1,2}}') as area
  from read_parquet('{path}')"""
_FREQUENCY: Final = """
create table frequency_{column} as
select {column}, count(*) / sum(count(*)) over () as share
  from (select {column} from care union all select {column} from health) where {column} is not null group by {column}"""
_NAME: Final = """case when l.{c} is null or r.{c} is null then 5 when l.{c} = r.{c} then 4
      when jaro_winkler_similarity(l.{c}, r.{c}) >= 0.92 then 3
      when jaro_winkler_similarity(l.{c}, r.{c}) >= 0.88 then 2
      when jaro_winkler_similarity(l.{c}, r.{c}) >= 0.7 then 1 else 0 end"""
_BORN_APART: Final = "abs(l.born - r.born)"
_LEVELS: Final = {
    "forename": _NAME.format(c="forename"),
    "surname": _NAME.format(c="surname"),
    "birth_date": f"""case when l.born is null or r.born is null then 6 when l.birth_date = r.birth_date then 5
      when hamming(l.birth_date, r.birth_date) <= 1 then 4 when {_BORN_APART} <= 30.4375 then 3
      when {_BORN_APART} <= 365.25 then 2 when {_BORN_APART} <= 3652.5 then 1 else 0 end""",
    "postcode": """case when l.postcode is null or r.postcode is null then 5 when l.postcode = r.postcode then 4
      when l.sector = r.sector then 3 when l.outcode = r.outcode then 2 when l.area = r.area then 1 else 0 end""",
    "sex": "case when l.sex is null or r.sex is null then 2 when l.sex = r.sex then 1 else 0 end",
    "nhs_number": """case when l.nhs_number is null or r.nhs_number is null then 3
      when l.nhs_number = r.nhs_number then 2 when levenshtein(l.nhs_number, r.nhs_number) <= 2
      and damerau_levenshtein(l.nhs_number, r.nhs_number) <= 1 then 1 else 0 end""",
}


def hand_written(
    clock: Clock, folder: Path, model: str = "tutorial", keep_above: float = 0.0, identifiers: bool = True
) -> None:
    """Links on disk from the cleaned files, after the identifier stage unless `identifiers` is False."""
    files = Files(folder)
    settings = json.loads(files.model(model).read_text(encoding="utf-8"))
    with connect(folder) as connection:
        for name, path in (("care", files.left), ("health", files.right)):
            connection.execute(_RECORD.format(name=name, path=path))
        for column in ("forename", "surname"):
            connection.execute(_FREQUENCY.format(column=column))
        clock.step("read")
        accepted = identifier_sql() if identifiers else "create table accepted (left_id varchar, right_id varchar)"
        connection.execute(accepted)
        connection.execute("create table residual as from care anti join accepted on record_id = left_id")
        clock.step("identifiers")
        rules = " union ".join(
            f"select l.number as a, r.number as b from residual l join health r on {_on_columns(rule)}"
            for rule in RULES
        )
        connection.execute(f"create table candidate as {rules}")
        clock.step("candidates")
        connection.execute(_statement(settings, keep_above, files.links("sql")))
        clock.step("score and write")
        rows = connection.execute("select (select count(*) from candidate), (select count(*) from accepted)").fetchall()
        clock.tell(candidates=rows[0][0], accepted=rows[0][1])


def _on_columns(rule: str) -> str:
    for side in "lr":
        rule = rule.replace(f"split_part({side}.postcode, ' ', 1)", f"{side}.outcode")
    return rule


def _statement(settings: dict[str, Any], keep_above: float, path: Path) -> str:
    prior = float(settings["probability_two_random_records_match"])
    weights = {c["output_column_name"]: _weights(c) for c in settings["comparisons"]}
    adjusted = {
        c: f" + case when level_{c} = 4 then {log2(_exact_u(settings, c))!r} - log2(share_{c}) else 0 end"
        for c in ("forename", "surname")
    }
    total = " + ".join(f"{weights[c]}{adjusted.get(c, '')}" for c in _LEVELS)
    levels = ", ".join(f"{sql} as level_{c}" for c, sql in _LEVELS.items())
    # Where both names are equal they have one share, so the left one is enough.
    return f"""
copy (
  with levelled as (
    select l.record_id as left_id, r.record_id as right_id, {levels},
           f.share as share_forename, s.share as share_surname
      from candidate join residual l on l.number = a join health r on r.number = b
      left join frequency_forename f on f.forename = l.forename
      left join frequency_surname s on s.surname = l.surname
  ), weighed as (select left_id, right_id, {log2(prior / (1 - prior))!r} + {total} as weight from levelled)
  select left_id, right_id, weight, 'scored' as rule from weighed where weight >= {keep_above}
  union all select left_id, right_id, 99.0, 'identifier' from accepted
) to '{path}' (format parquet)"""


def _weights(comparison: dict[str, Any]) -> str:
    """The weight of each level by its number; null levels have the highest number and no weight."""
    known = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
    arms = [
        f"when {len(known) - 1 - place} then {log2(level['m_probability'] / level['u_probability'])!r}"
        for place, level in enumerate(known)
    ]
    return f"case level_{comparison['output_column_name']} {' '.join(arms)} else 0.0 end"


def _exact_u(settings: dict[str, Any], name: str) -> float:
    comparison = next(c for c in settings["comparisons"] if c["output_column_name"] == name)
    return float(next(v for v in comparison["comparison_levels"] if v.get("tf_adjustment_column"))["u_probability"])
