"""How good the links probably are, without any truth: what is said each run and what is measured once a week.

Every estimate carries its interval and says how it was made; match probabilities are never used as error rates (linkage
handbook 14). Counts only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linkage import report_capture, report_groups, report_sensitivity, report_waterfall
from linkage.challenger import challenge
from linkage.masked import relink
from linkage.model import Bands, Model
from linkage.quality import wilson
from linkage.second_opinion import second_opinion

if TYPE_CHECKING:
    import duckdb

_MEASURED_EVERY = timedelta(days=7)
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
        "capture_recapture": report_capture.capture(calculation, bands),
        "impossible_things": _impossible(calculation, moment),
        "external_rate": "not measured, because no rate of another linkage of the same records is held",
    }


def measured(
    calculation: duckdb.DuckDBPyConnection,
    model: Model,
    moment: datetime,
    run_id: str,
    *,
    is_full: bool,
    deprivation: Path | None = None,
) -> dict[str, Any]:
    """What takes a grouping or a second library: hidden numbers, sensitivity, groups, calibration, second opinion.

    Made after every run over all records, else once a week: numbers change little from night to night.
    """
    relinked = relink(calculation, model, is_full=is_full)
    groups = report_groups.groups(calculation, relinked, moment, deprivation)
    facts = {
        "run_id": run_id,
        "as_known_at": moment.isoformat(),
        "model_version": model.version,
        "hidden_numbers": report_sensitivity.hidden_numbers(calculation, relinked, model, is_full=is_full),
        "sensitivity": report_sensitivity.sensitivity(relinked),
        "fields_left_out": report_sensitivity.fields_left_out(relinked),
        "missed_pattern": report_waterfall.missed_pattern(calculation, model),
        "groups": groups,
    }
    if is_full:  # all need every pair that was compared
        facts["calibration"] = report_sensitivity.calibration(calculation, model) | {"run_id": run_id}
        facts["second_opinion"] = second_opinion(calculation, model.bands).as_dict() | {"run_id": run_id}
        facts["challenger"] = challenge(calculation, model) | {"run_id": run_id}
    return facts


def still_good(earlier: Mapping[str, Any] | None, model: Model, moment: datetime, *, is_full: bool) -> bool:
    """Whether what an earlier run measured still speaks for this one: same model, less than a week old, no full run."""
    if is_full or not earlier or earlier.get("model_version") != model.version:
        return False
    return moment - datetime.fromisoformat(earlier["as_known_at"]) < _MEASURED_EVERY


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
