"""Who is missed: linkage rate, missed and false share by group, and which gaps have to be explained (report section 7).

Groups of fewer than ten records are left out; what is shown of the others passes through `report_small`. A gap between
groups counts when it is above two points and its interval excludes zero; that of the hidden-number test stops a new
model version until it is explained (linkage handbook 15).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import datetime
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linkage.masked import Relinked
from linkage.quality import Estimate, difference, wilson

if TYPE_CHECKING:
    import duckdb

FEWEST_SHOWN = 10
AGREED_GAP = 0.02
AGREED_DIFFERENCE = 0.1
_TO_BE_BEST = 50  # a smaller group is not held up as the best
_MISSED_TO_COUNT = 3  # one missed link, or two, prove nothing
#: A council's own list beside its data: `place` (postcode, sector or outcode) and `fifth` (1 the most deprived).
DEPRIVATION = "deprivation.csv"
_NO_LOOKUP = f"not measured, because no look-up from place to deprivation fifth is held ({DEPRIVATION})"
_NOT_MEASURED = {
    "recorded disability": "not measured, because linkage is not given it (what is not needed to link is not read)",
    "first language": "not measured, because linkage is not given it (what is not needed to link is not read)",
    "support reason": "not measured, because linkage is not given it (what is not needed to link is not read)",
}

#: Every record in its groups; those on an estimated or missing value have a group of their own.
_GROUPS = """create or replace table record_group as
with told as (
  select s.record_id, s.source, s.sex, s.birth_date, s.is_communal, s.postcode, s.nhs_number, s.nhs_verified,
         upper(trim(p.ethnicity_code)) as ethnicity, date_diff('year', s.birth_date, $today::date) as age,
         coalesce(d1.fifth, d2.fifth, d3.fifth) as fifth
    from standard s left join source_person p on p.source_record_id = s.record_id
    left join deprivation d1 on d1.place = s.postcode left join deprivation d2 on d2.place = s.sector
    left join deprivation d3 on d3.place = s.outcode
)
select record_id,
       unnest(['sex', 'age band', 'ethnic group', 'address', 'source', 'NHS number', 'deprivation']) as dimension,
       unnest([
         case sex when '1' then 'male' when '2' then 'female' else 'not known' end,
         case when age is null then 'not known' when age < 18 then 'under 18' when age < 65 then '18 to 64'
              when age < 75 then '65 to 74' when age < 85 then '75 to 84' else '85 and over' end,
         case when ethnicity is null or ethnicity = '' then 'missing' when ethnicity in ('Z', '99') then 'not stated'
              when left(ethnicity, 1) in ('A', 'B', 'C') then 'White'
              when left(ethnicity, 1) in ('D', 'E', 'F', 'G') then 'Mixed'
              when left(ethnicity, 1) in ('H', 'J', 'K', 'L') then 'Asian'
              when left(ethnicity, 1) in ('M', 'N', 'P') then 'Black'
              when left(ethnicity, 1) in ('R', 'S') then 'other ethnic group' else 'other code' end,
         case when postcode is null then 'no postcode' when is_communal then 'care home or other communal address'
              else 'own address' end,
         source,
         case when nhs_number is null then 'no number' when nhs_verified then 'verified' else 'not verified' end,
         case when postcode is null then 'no postcode' when fifth is null then 'place not in the look-up'
              when fifth = 1 then 'fifth 1 (most deprived)' when fifth = 5 then 'fifth 5 (least deprived)'
              else 'fifth ' || fifth end
       ]) as name
  from told"""

_RATES = """
with health as (
  select distinct person_id from membership_wanted join standard using (record_id) where source = 'systmone'
),
care as (select record_id, person_id in (from health) as is_linked
           from membership_wanted join standard using (record_id) where source <> 'systmone'),
judged as (select g.dimension, g.name, count(*) as sample, count(*) filter (where found) as found,
                  count(*) filter (where wrong) as wrong, count(*) filter (where found or wrong) as taken
             from hidden_judged h join record_group g using (record_id) group by all)
select g.dimension, g.name, count(*) as records, count(*) filter (where is_linked) as linked,
       coalesce(any_value(j.sample), 0), coalesce(any_value(j.found), 0), coalesce(any_value(j.wrong), 0),
       coalesce(any_value(j.taken), 0)
  from care join record_group g using (record_id) left join judged j using (dimension, name)
 group by g.dimension, g.name order by g.dimension, g.name"""


def groups(
    calculation: duckdb.DuckDBPyConnection, relinked: Relinked, moment: datetime, deprivation: Path | None = None
) -> dict[str, Any]:
    """Section 7 from `standard`, `membership_wanted` and the judged hidden links. Leaves the table `record_group`.

    `deprivation` is the council's look-up of `DEPRIVATION`, when it has one.
    """
    fifths = read_deprivation(deprivation)
    make_groups(calculation, moment, fifths)
    register_judged(calculation, relinked)
    rows = [row for row in calculation.execute(_RATES).fetchall() if fifths or row[0] != "deprivation"]
    dimensions: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        dimensions.setdefault(row[0], []).append(row)
    told = [line for lines in dimensions.values() for line in _dimension(lines)]
    gaps = [line["gap"] for line in told if line.get("gap")]
    return {
        "unit": "records of social care: the share that stands with a record of health, and what the hidden-number "
        "test says of the links",
        "rows": told,
        "small_groups": f"groups of fewer than {FEWEST_SHOWN} records are not shown",
        "not_measured": _NOT_MEASURED if fifths else {"deprivation fifth": _NO_LOOKUP, **_NOT_MEASURED},
        "largest_gap": max(gaps, key=lambda gap: gap["points"], default=None),
        "gaps_to_explain": [gap for gap in gaps if gap["is_flagged"]],
    }


def read_deprivation(path: Path | None) -> dict[str, int]:
    """Place -> deprivation fifth; empty without a file. Raises `ValueError`, naming the line, for anything else."""
    if path is None or not path.exists():
        return {}
    found: dict[str, int] = {}
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            place, fifth = " ".join((row.get("place") or "").upper().split()), (row.get("fifth") or "").strip()
            if not place or fifth not in ("1", "2", "3", "4", "5"):
                raise ValueError(f"{path.name}, line {number}: it needs a place and a fifth from 1 to 5")
            found[place] = int(fifth)
    return found


def make_groups(
    calculation: duckdb.DuckDBPyConnection, moment: datetime, fifths: Mapping[str, int] | None = None
) -> None:
    """Fill `record_group` (record_id, dimension, name) for every record."""
    import pyarrow as pa

    places = dict(fifths or {})
    columns = {"place": pa.array(list(places), pa.string()), "fifth": pa.array(list(places.values()), pa.int8())}
    calculation.register("deprivation", pa.table(columns))
    calculation.execute(_GROUPS, {"today": moment.date()})
    calculation.unregister("deprivation")


def register_judged(calculation: duckdb.DuckDBPyConnection, relinked: Relinked) -> None:
    """Fill `hidden_judged` (record_id, partner_id, found, wrong)."""
    import pyarrow as pa

    columns = list(zip(*relinked.judged, strict=True)) or [()] * 4
    kinds = (pa.int64(), pa.int64(), pa.bool_(), pa.bool_())
    names = ("record_id", "partner_id", "found", "wrong")
    calculation.register(
        "hidden_judged", pa.table({n: pa.array(c, k) for n, c, k in zip(names, columns, kinds, strict=True)})
    )


def _dimension(rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    records, linked = sum(r[2] for r in rows), sum(r[3] for r in rows)
    shown = [r for r in rows if r[2] >= FEWEST_SHOWN]
    best = max((r for r in shown if r[4] >= _TO_BE_BEST), key=lambda r: (r[5] / r[4], r[4]), default=None)
    return [_line(row, records, linked, best) for row in shown]


def _line(row: tuple[Any, ...], all_records: int, all_linked: int, best: tuple[Any, ...] | None) -> dict[str, Any]:
    dimension, name, records, linked, sample, found, wrong, taken = row
    overall = all_linked / all_records if all_records else 0.0
    apart = standardised_difference(linked, all_linked, records - linked, all_records - all_linked)
    to_others = difference(linked, records, all_linked - linked, all_records - records)
    gap = _gap(row, best) if best is not None and row is not best and sample >= FEWEST_SHOWN else None
    return {
        "dimension": dimension,
        "group": name,
        "records": records,
        "linkage_rate": wilson(linked, records).as_dict(),
        "points_from_overall": 100 * (linked / records - overall),
        "standardised_difference": apart,
        "hidden_links": sample,
        "missed": _unless_small(sample, wilson(sample - found, sample)),
        "false": _unless_small(sample, wilson(wrong, taken)),
        "flag": "; ".join(_flags(apart, to_others, gap)),
        "gap": gap,
    }


def _unless_small(sample: int, estimate: Estimate) -> dict[str, Any]:
    return (estimate if sample >= FEWEST_SHOWN else wilson(0, 0)).as_dict()


def _gap(row: tuple[Any, ...], best: tuple[Any, ...]) -> dict[str, Any]:
    """How far the hidden-number recall of a group lies below the best of its kind."""
    gap = difference(best[5], best[4], row[5], row[4])
    assert gap.value is not None and gap.low is not None and gap.high is not None
    return {
        "dimension": row[0],
        "group": row[1],
        "best": best[1],
        "points": 100 * gap.value,
        "low": 100 * gap.low,
        "high": 100 * gap.high,
        "missed": row[4] - row[5],
        "is_flagged": gap.value > AGREED_GAP and gap.low > 0 and row[4] - row[5] >= _MISSED_TO_COUNT,
    }


def _flags(apart: float | None, to_others: Estimate, gap: dict[str, Any] | None) -> list[str]:
    flags = []
    if apart is not None and abs(apart) > AGREED_DIFFERENCE:
        flags.append("linked and unlinked differ")
    value, low, high = to_others.value, to_others.low, to_others.high
    if value is not None and low is not None and high is not None and abs(value) > AGREED_GAP and low * high > 0:
        flags.append("linkage rate differs from the others")
    if gap and gap["is_flagged"]:
        flags.append("more links missed: to be explained")
    return flags


def standardised_difference(one: int, ones: int, other: int, others: int) -> float | None:
    """The difference of two shares in units of their common spread; None where there is nothing to compare."""
    if not ones or not others:
        return None
    p, q = one / ones, other / others
    spread = sqrt((p * (1 - p) + q * (1 - q)) / 2)
    return (p - q) / spread if spread else 0.0
