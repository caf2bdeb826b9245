"""The one scorer of the linkage benchmark: it alone opens the truth, and judges every contender's links alike.

Pairs that blocking never found count as missed. A threshold is a weight of the contender's own; what is told at the
best threshold says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import duckdb

PRECISION: Final = 0.999
_LIMITS: Final[Mapping[str, Any]] = {"threads": 2, "memory_limit": "3GB", "preserve_insertion_order": False}
#: Groups of care records whose recall is told apart; column of the truth -> how it is called.
GROUPS: Final[Mapping[str, str]] = {
    "sex": "sex", "age_band": "age", "ethnic_group": "ethnic group", "deprivation_fifth": "deprivation fifth",
    "in_care_home": "care home", "has_number": "NHS number present",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Score:
    """What a contender's links are worth, in two views: every pair, and the best link of each care record."""

    recall_at_precision: float  # over all true pairs, at the lowest threshold that keeps the precision
    threshold: float
    best_f1: float
    best_link_recall_at_precision: float
    best_link_threshold: float
    ceiling: (
        float  # recall of everything the contender wrote down: the rest was never a candidate or weighed too little
    )
    groups: Mapping[str, Mapping[str, float]]  # recall of care records by group, at the best-link threshold

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def score(links: Path, truth: Path, precision: float = PRECISION) -> Score:
    """Judge the links a contender left at `links` against the truth at `truth`."""
    with _judged(links, truth) as connection:
        pairs = int(connection.execute("select count(*) from true_pair").fetchall()[0][0])
        records = int(connection.execute("select count(distinct left_id) from true_pair").fetchall()[0][0])
        found = int(connection.execute("select count(*) from judged where is_right").fetchall()[0][0])
        recall, threshold, f1 = _at(connection, "judged", pairs, precision)
        best_recall, best_threshold, _ = _at(connection, "best_link", records, precision)
        return Score(recall, threshold, f1, best_recall, best_threshold, found / pairs if pairs else 1.0,
                     _groups(connection, best_threshold))  # fmt: skip


def at_line(links: Path, truth: Path, line: float | None) -> dict[str, float]:
    """Precision, recall and F1 of the links of at least `line` bits (None: all), of all true pairs and of care records.

    A care record counts as found when its best link is right; a second record of one patient is not asked for then.
    """
    with _judged(links, truth) as connection:
        row = connection.execute(
            """
            select count(*), count(*) filter (is_right), (select count(*) from true_pair),
                   (select count(*) filter (is_right) from best_link where weight >= $line),
                   (select count(distinct left_id) from true_pair)
              from judged where weight >= $line""",
            {"line": float("-inf") if line is None else line},
        ).fetchall()[0]
    links_, right, pairs, records_right, records = (int(n) for n in row)
    return {
        "precision": round(right / links_, 5) if links_ else 1.0, "recall": round(right / pairs, 5) if pairs else 1.0,
        "F1": round(2 * right / (links_ + pairs), 5) if links_ + pairs else 1.0,
        "care records found": round(records_right / records, 5) if records else 1.0,
    }  # fmt: skip


@contextmanager
def _judged(links: Path, truth: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    with duckdb.connect(config={**_LIMITS, "temp_directory": str(links.parent / "spill")}) as connection:
        connection.execute(_JUDGED.format(links=links, truth=truth))
        yield connection


_JUDGED = """
create table person as select record_id, side, person_id, sex, age_band, ethnic_group,
       deprivation_fifth::varchar as deprivation_fifth, in_care_home::varchar as in_care_home,
       has_number::varchar as has_number from read_parquet('{truth}');
create table true_pair as select l.record_id as left_id, r.record_id as right_id
  from person l join person r using (person_id) where l.side = 'care' and r.side = 'health';
create table judged as
select k.left_id, k.right_id, max(k.weight) as weight, coalesce(any_value(l.person_id = r.person_id), false) as is_right
  from read_parquet('{links}') k left join person l on l.record_id = k.left_id
  left join person r on r.record_id = k.right_id group by k.left_id, k.right_id;
create table best_link as
select * from judged qualify row_number() over (partition by left_id order by weight desc, right_id) = 1"""


def _at(connection: duckdb.DuckDBPyConnection, table: str, base: int, precision: float) -> tuple[float, float, float]:
    """(recall at the precision, its threshold, best F1); a threshold lets all links of its weight in."""
    rows = connection.execute(f"""
        with steps as (select weight, count(*) as links, count(*) filter (is_right) as hits
                         from {table} group by weight),
             sums as (select weight, sum(links) over (order by weight desc) as links,
                             sum(hits) over (order by weight desc) as hits from steps)
        select max(hits) filter (hits >= {precision} * links), min(weight) filter (hits >= {precision} * links),
               max(2.0 * hits / (links + {base})) from sums""").fetchall()
    hits, threshold, f1 = rows[0]
    return (
        float(hits) / base if hits and base else 0.0,
        float(threshold) if threshold is not None else float("inf"),
        float(f1 or 0.0),
    )


def _groups(connection: duckdb.DuckDBPyConnection, threshold: float) -> dict[str, dict[str, float]]:
    told: dict[str, dict[str, float]] = {}
    for column, name in GROUPS.items():
        rows = connection.execute(f"""
            select p.{column}, avg(coalesce(b.is_right, false)::int)
              from (select distinct left_id from true_pair) t join person p on p.record_id = t.left_id
              left join best_link b on b.left_id = t.left_id and b.weight >= $threshold
             group by 1 order by 1""", {"threshold": threshold}).fetchall()  # fmt: skip
        told[name] = {str(value): round(float(recall), 5) for value, recall in rows}
    return told
