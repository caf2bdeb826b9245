"""What stands against putting a model version to use: a second opinion that disagrees, and groups that are missed more.

An obstacle is removed by better data, a better model or a recorded explanation, never by looking away. Explanations are
lines of a file the council keeps: what, why, who and when (linkage handbook 15 and 16).
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.run import Finding

#: The share of the fixed sample on which the second opinion may disagree; its lower limit is what counts.
AGREED_DISAGREEMENT = 0.02
EXPLANATIONS = "linkage-explanations.csv"
_FIELDS = ("code", "subject", "explanation", "by", "on")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason not to promote: `code` and `subject` are what an explanation has to name."""

    code: str
    subject: str
    message: str
    remedy: str


def obstacles(report: Mapping[str, Any], explained: Collection[tuple[str, str]] = ()) -> tuple[Obstacle, ...]:
    """What a linkage report says against its model, without what has been explained (`read_explanations`)."""
    measured = report.get("measured") or {}
    found = [_gap(gap) for gap in (measured.get("groups") or {}).get("gaps_to_explain", ())]
    found += _disagreement(measured.get("second_opinion"))
    return tuple(o for o in found if (o.code, o.subject) not in explained)


def findings(report: Mapping[str, Any], explained: Collection[tuple[str, str]] = ()) -> tuple[Finding, ...]:
    """The same as findings of a run."""
    return tuple(Finding(o.code, o.message, o.remedy) for o in obstacles(report, explained))


def read_explanations(path: Path) -> frozenset[tuple[str, str]]:
    """The (code, subject) pairs somebody has explained in the council's file; none when there is no file.

    A line counts only when it says what, why, who and when. Raises `ValueError` when the file has other columns.
    """
    if not path.exists():
        return frozenset()
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        if tuple(rows.fieldnames or ()) != _FIELDS:
            raise ValueError(f"{path}: its columns must be {', '.join(_FIELDS)}")
        return frozenset(
            (row["code"], row["subject"]) for row in rows if all((row[name] or "").strip() for name in _FIELDS)
        )


def _gap(gap: Mapping[str, Any]) -> Obstacle:
    subject = f"{gap['dimension']}: {gap['group']}"
    return Obstacle(
        "EQUALITY_GAP",
        subject,
        f"links of the group '{subject}' are missed {gap['points']:.1f} points more often than those of "
        f"'{gap['best']}' (95 % interval {gap['low']:.1f} to {gap['high']:.1f})",
        f"mend the data at its source or the model; or record an explanation for this group in {EXPLANATIONS}; "
        "until then no new model version is put to use",
    )


def _disagreement(opinion: Any) -> list[Obstacle]:
    share = opinion.get("disagreement") if isinstance(opinion, Mapping) else None
    if not share or share["low"] is None or share["low"] <= AGREED_DISAGREEMENT:
        return []
    return [
        Obstacle(
            "SECOND_OPINION_DISAGREES",
            "second opinion",
            f"another method judges {100 * share['value']:.1f} % of the fixed sample of {share['base']} pairs "
            f"differently, above the agreed {100 * AGREED_DISAGREEMENT:.0f} %",
            f"look at pairs of both kinds in review; record what was found in {EXPLANATIONS}; until then no new model "
            "version is put to use",
        )
    ]
