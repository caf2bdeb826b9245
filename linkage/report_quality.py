"""How good the links probably are, without any truth: what is said each run and what is measured once a week.

Every estimate carries its interval and says how it was made; match probabilities are never used as error rates (linkage
handbook 14). Counts only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import sqrt
from typing import TYPE_CHECKING, Any

from linkage import report_groups, report_sensitivity
from linkage.deterministic import Rule
from linkage.masked import relink
from linkage.model import Bands, Model
from linkage.quality import wilson
from linkage.second_opinion import second_opinion

if TYPE_CHECKING:
    import duckdb

_MEASURED_EVERY = timedelta(days=7)
_IDENTIFIER_RULES = f"('{Rule.NHS_VERIFIED}', '{Rule.NHS_CROSS_CHECKED}')"
_CAPTURE = f"""
select count(*) filter (where rule in {_IDENTIFIER_RULES} and decision = 'link') as by_number,
       count(*) filter (where by_demographics and weight_without_number >= $link
         and decision = 'link') as by_demographics,
       count(*) filter (where rule in {_IDENTIFIER_RULES} and decision = 'link' and by_demographics
                          and weight_without_number >= $link) as by_both
  from decided_edge where numbers <> 'missing'"""

_IMPOSSIBLE = """
with person as (
  select w.person_id, count(distinct s.nhs_number) filter (where s.nhs_verified) as numbers,
         count(distinct s.sex) as sexes,
         count(distinct s.birth_date) filter (where not s.birth_estimated) as birth_dates,
         count(distinct s.death_date) as deaths, min(s.birth_date) as birth_date,
         max(s.death_date) as death_date
    from membership_wanted w join standard s using (record_id) group by w.person_id
), crowded as (
  select w.person_id from membership_wanted w join standard s using (record_id)
   group by w.person_id, s.source having count(*) > 2
)
select count(*), count(*) filter (where numbers > 1), count(*) filter (where sexes > 1),
  count(*) filter (where birth_dates > 1),
       count(*) filter (where deaths > 1), count(*) filter (where death_date < birth_date),
       count(*) filter (where date_diff('year', birth_date, coalesce(death_date, $today)) > 115),
       (select count(distinct person_id) from crowded)
  from person"""

_IMPOSSIBLE_NAMES = (
    "more than one verified NHS number",
    "conflicting sex",
    "more than one exact birth date",
    "two death dates",
    "death before birth",
    "age above 115",
    "more than two records of one source",
)


def estimates(calculation: duckdb.DuckDBPyConnection, bands: Bands, moment: Any) -> dict[str, Any]:
    """What section 5 of the linkage report can say after every run, from the tables of this run."""
    return {
        "capture_recapture": _capture(calculation, bands),
        "impossible_things": _impossible(calculation, moment),
        "clerical_sample": "not measured, because no pairs have been reviewed for this purpose yet",
    }


def measured(
    calculation: duckdb.DuckDBPyConnection, model: Model, moment: datetime, run_id: str, *, is_full: bool
) -> dict[str, Any]:
    """What takes a grouping or a second library: hidden numbers, sensitivity, groups, calibration, second opinion.

    Made after every run over all records, else once a week: numbers change little from night to night.
    """
    relinked = relink(calculation, model, is_full=is_full)
    groups = report_groups.groups(calculation, relinked, moment)
    facts = {
        "run_id": run_id,
        "as_known_at": moment.isoformat(),
        "model_version": model.version,
        "hidden_numbers": report_sensitivity.hidden_numbers(calculation, relinked),
        "sensitivity": report_sensitivity.sensitivity(relinked),
        "groups": groups,
    }
    if is_full:  # both need every pair that was compared
        facts["calibration"] = report_sensitivity.calibration(calculation, model)
        facts["second_opinion"] = second_opinion(calculation, model.bands).as_dict()
    return facts


def still_good(earlier: Mapping[str, Any] | None, model: Model, moment: datetime, *, is_full: bool) -> bool:
    """Whether what an earlier run measured still speaks for this one: same model, less than a week old, no full run."""
    if is_full or not earlier or earlier.get("model_version") != model.version:
        return False
    return moment - datetime.fromisoformat(earlier["as_known_at"]) < _MEASURED_EVERY


def _capture(calculation: duckdb.DuckDBPyConnection, bands: Bands) -> dict[str, Any]:
    by_number, by_demographics, both = calculation.execute(_CAPTURE, {"link": bands.link}).fetchall()[0]
    facts: dict[str, Any] = {
        "design": "links by number and links by demographics as two catches of the same pairs, both records "
        "having a number",
        "by_number": by_number,
        "by_demographics": by_demographics,
        "by_both": both,
        "assumption": "the two catches are independent; they are not quite (poor records miss both), so recall "
        "is likely to "
        "be estimated too high",
    }
    if not both:
        return {**facts, "recall": None, "low": None, "high": None}
    total = (by_number + 1) * (by_demographics + 1) / (both + 1) - 1  # Chapman
    variance = (
        (by_number + 1)
        * (by_demographics + 1)
        * (by_number - both)
        * (by_demographics - both)
        / ((both + 1) ** 2 * (both + 2))
    )
    half, caught = 1.96 * sqrt(variance), by_number + by_demographics - both
    return {
        **facts,
        "recall": min(1.0, caught / total),
        "low": caught / (total + half),
        "high": min(1.0, caught / max(caught, total - half)),
    }


def _impossible(calculation: duckdb.DuckDBPyConnection, moment: Any) -> dict[str, Any]:
    people, *counts = calculation.execute(_IMPOSSIBLE, {"today": moment.date()}).fetchall()[0]
    return {
        "people": people,
        "counts": [
            {"what": name, **wilson(count, people).as_dict()}
            for name, count in zip(_IMPOSSIBLE_NAMES, counts, strict=True)
        ],
        "not_measured": "events after death, overlapping stays and two places at once are not measured here, "
        "because linkage "
        "never sees events",
    }
