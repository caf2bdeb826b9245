"""What the hidden-number test says: recall and false share, by threshold, for people without a number, and calibrated.

Match probabilities are never used as error rates; the calibration table shows how far they are from what is true
(linkage handbook 14). Counts only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from linkage.masked import SHARE_HIDDEN, Line, Relinked
from linkage.model import Model
from linkage.quality import weighted, wilson
from linkage.report_numberless import by_own_candidates

if TYPE_CHECKING:
    import duckdb

_LOWEST, _HIGHEST, _BAND = -12, 32, 4
_FINEST = "source || '|' || age || '|' || address || '|' || poor"  # coarser cells stand in where there is no sample
_CELLS = (_FINEST, "age || '|' || poor", "poor::varchar", "''")

# Records like the hidden ones on one side, those that truly have no number on the other.
_REWEIGHED = """
with described as (
  select s.record_id, s.source, s.nhs_number, a.name as age, p.name as address,
         (s.forename is null)::int + (s.birth_date is null)::int + (s.postcode is null)::int
           + (s.sex is null)::int as poor
    from standard s
    join record_group a on a.record_id = s.record_id and a.dimension = 'age band'
    join record_group p on p.record_id = s.record_id and p.dimension = 'address'
)
select h.record_id is not null as is_hidden, coalesce(h.found, false), coalesce(h.wrong, false), {cells}
  from described d left join hidden_judged h using (record_id)
 where h.record_id is not null or (d.nhs_number is null and source <> 'systmone')"""

_CALIBRATION = f"""
with offered as (               -- everything a hidden record was compared with that has a number or is the same person
  select s.weight_without_number as weight, a.nhs_number = b.nhs_number or x.person_id = y.person_id as is_true
    from (select distinct record_id from hidden_link) h
    join scored s on h.record_id in (s.left_id, s.right_id)
    join standard a on a.record_id = s.left_id join standard b on b.record_id = s.right_id
    join membership_wanted x on x.record_id = s.left_id join membership_wanted y on y.record_id = s.right_id
   where s.by_demographics and a.nhs_number is not null and b.nhs_number is not null
)
select least({_HIGHEST}, greatest({_LOWEST}, (floor(weight / {_BAND}) * {_BAND})::int)) as low, count(*),
       count(*) filter (where is_true), avg(1 / (1 + pow(2, -weight)))
  from offered group by 1 order by 1"""


def hidden_numbers(
    calculation: duckdb.DuckDBPyConnection, relinked: Relinked, model: Model, *, is_full: bool
) -> dict[str, Any]:
    """The estimate at the line in use: as it is, weighted to the people without a number, and by their own candidates.

    Reads `standard`, `record_group`, `hidden_judged` and what `by_own_candidates` reads.
    """
    here = next(line for line in relinked.lines if line.moved_by == 0)
    taken = sum(found or wrong for _, _, found, wrong in relinked.judged)
    return {
        "design": f"{SHARE_HIDDEN} per cent of the links by NHS number between sources, chosen by a hash of the keys, "
        "linked again with the number of one side hidden: same pairs, same model, groups formed anew",
        "sample": here.sample,
        "recall": wilson(here.found, here.sample).as_dict(),
        "false_share": wilson(here.wrong, taken).as_dict(),
        "for_people_without_a_number": _reweighed(calculation),
        "by_own_candidates": by_own_candidates(calculation, model, is_full=is_full),
        "assumption": "people with a number are as easy to link by demographics as people without one who are of the "
        "same source, age, kind of address and completeness; pairs whose numbers are wrong are not in the sample, so "
        "the recall of all links together is lower; beside the partner only two verified numbers prove a false link",
    }


def sensitivity(relinked: Relinked) -> list[dict[str, Any]]:
    """Section 8: the same figures with the link line moved, groups formed anew each time."""
    return [_line(line) for line in relinked.lines]


def fields_left_out(relinked: Relinked) -> dict[str, Any]:
    """Section 8: the same figures with each main field left out at the line in use."""
    return {
        "rows": [_line(line) for line in relinked.without],
        "how": "the part of the field is taken from every weight and groups are formed anew; of hidden records all "
        "pairs are looked at, of the others those that reached the review line with the field, so that links gained "
        "without it are told too low",
    }


def _line(line: Line) -> dict[str, Any]:
    false = wilson(line.wrong, line.found + line.wrong)
    return {
        "moved_by": line.moved_by,
        "line": line.line,
        "without": line.without,
        "links": line.links,
        "people": line.people,
        "linkage_rate": wilson(line.linked, line.base).as_dict(),
        "recall": wilson(line.found, line.sample).as_dict(),
        "false_share": false.as_dict(),
        "precision": precision_of(false.as_dict()),
        "measures": {
            "people known to social care": line.care_people,
            "of them with an NHS number": wilson(line.care_people_with_number, line.care_people).as_dict(),
            "of them known to community health": wilson(line.care_people_in_health, line.care_people).as_dict(),
        },
    }


def precision_of(false: Mapping[str, Any]) -> dict[str, float | None]:
    """One less the false share, with its interval."""
    value, low, high = (None if false[name] is None else 1 - false[name] for name in ("value", "high", "low"))
    return {"value": value, "low": low, "high": high}


def calibration(calculation: duckdb.DuckDBPyConnection, model: Model) -> dict[str, Any]:
    """By band of weight, the share of pairs of hidden records that is true beside what the model claims.

    Reads `scored`, so only after a run that compared all pairs.
    """
    rows = calculation.execute(_CALIBRATION).fetchall()
    return {
        "design": "pairs of the hidden records, weighed without number; truth is what their numbers say",
        "model_version": model.version,
        "bands": [
            {
                "from": low if low > _LOWEST else None,
                "to": low + _BAND if low < _HIGHEST else None,
                "pairs": pairs,
                "claimed": claimed,
                "true": wilson(true, pairs).as_dict(),
            }
            for low, pairs, true, claimed in rows
        ],
    }


def _reweighed(calculation: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    cells = ", ".join(f"{cell} as cell_{n}" for n, cell in enumerate(_CELLS))
    rows = calculation.execute(_REWEIGHED.format(cells=cells)).fetchall()
    sample = [row for row in rows if row[0]]
    target = [row for row in rows if not row[0]]
    weights = _weights(sample, target)
    weighed = list(zip(weights, sample, strict=True))
    return {
        "people_without_a_number": len(target),
        "recall": weighted([(w, row[1]) for w, row in weighed]).as_dict(),
        "false_share": weighted([(w, row[2]) for w, row in weighed if row[1] or row[2]]).as_dict(),
        "how": "the sample weighted to the records of social care that have no number by source, age band, kind of "
        "address and missing fields; where a cell has no sample, by age band and missing fields, and so on",
    }


def _weights(sample: list[tuple[Any, ...]], target: list[tuple[Any, ...]]) -> list[float]:
    """For each record of the sample, how many of the target it stands for; each target uses its finest filled cell."""
    weights = [0.0] * len(sample)
    waiting = target
    for column in range(3, 3 + len(_CELLS)):
        members: dict[str, list[int]] = {}
        for place, row in enumerate(sample):
            members.setdefault(row[column], []).append(place)
        for row in waiting:
            for place in members.get(row[column], ()):
                weights[place] += 1 / len(members[row[column]])
        waiting = [row for row in waiting if row[column] not in members]
    return weights
