"""The defect table: for every defect the simulator injected, whether the pipeline found it or rightly left it alone.

*Found*: a rule flags the row, it is held or excluded, its record waits in review, or the delivery was held or reported.
*Left alone rightly*: the defect needs no finding and did no harm: its record belongs to the right person, its event is
told as it was. What is neither is *missed*. Read after the nights by the demo and the tests; reads the truth.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.exclusions import RowDigests
from governance.store import Store
from onestory.scoring import found_rows, linked_records
from onestory.scoring.file_faults import faults_found

if TYPE_CHECKING:
    from domain.profile import Profile

FOUND, LEFT_ALONE, MISSED = "found", "left alone", "missed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the catalogue says of one defect: what may find it, and what shows that leaving it alone was right."""

    what: str
    found_by: frozenset[str]
    left_alone: str  # linked, absent, gone, true, kept, or "" when it must be found


@dataclass(frozen=True, slots=True)
class DefectLine:
    """One line of the table; the four counts are of injected defects."""

    defect: str
    what: str
    injected: int
    found: int
    left_alone: int
    missed: int

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@cache
def catalogue() -> Mapping[str, Answer]:
    """The answers by defect id, from `connectors/synthetic/data/defect_catalogue.csv`."""
    page = files("connectors") / "synthetic" / "data" / "defect_catalogue.csv"
    return {
        line["id"]: Answer(line["what"], frozenset(filter(None, line["found_by"].split(";"))), line["left_alone"])
        for line in csv.DictReader(page.read_text(encoding="utf-8").splitlines())
    }


def defect_table(profile: Profile, truth_folder: Path) -> list[DefectLine]:
    """One line per defect id the council's truth log names, in the catalogue's order."""
    from connectors.synthetic import truth

    store = Store(profile)
    judge = _Judge(profile, store, truth_folder)
    fates: Counter[tuple[str, str]] = Counter()
    for defect in truth.load_defects(truth_folder).to_pylist():
        if defect["defect_id"] in catalogue() and defect["defect_id"] != "D91":
            fates[defect["defect_id"], judge.fate(defect)] += 1
    for _, was_found in faults_found(profile, store, truth_folder):
        fates["D91", FOUND if was_found else MISSED] += 1
    return [
        _line(defect, fates) for defect in catalogue() if any(fates[defect, f] for f in (FOUND, LEFT_ALONE, MISSED))
    ]


def _line(defect: str, fates: Counter[tuple[str, str]]) -> DefectLine:
    found, left, missed = (fates[defect, fate] for fate in (FOUND, LEFT_ALONE, MISSED))
    return DefectLine(defect, catalogue()[defect].what, found + left + missed, found, left, missed)


class _Judge:
    """Knows everything the pipeline said of every row and record, and answers for one defect at a time."""

    def __init__(self, profile: Profile, store: Store, truth_folder: Path) -> None:
        self._rows = found_rows.read(profile, store, RowDigests(profile))
        self._records = linked_records.read(store, truth_folder)
        self._events = linked_records.read_events(store, truth_folder)

    def fate(self, defect: Mapping[str, Any]) -> str:
        answer, system, key = catalogue()[defect["defect_id"]], str(defect["system"]), str(defect["key"])
        said = self._rows.said_of(system, str(defect["table"]), _ids(key))
        if said & (answer.found_by | {found_rows.HELD, found_rows.EXCLUDED}):
            return FOUND
        if self._rows.is_never_read(system, str(defect["table"]), str(defect["field"])):
            return LEFT_ALONE
        record = (system, key.removeprefix("person:"))
        if "review" in answer.found_by and record in self._records.in_review:
            return FOUND
        return LEFT_ALONE if self._is_right(answer.left_alone, record, _ids(key)) else MISSED

    def _is_right(self, kind: str, record: tuple[str, str], ids: Iterable[str]) -> bool:
        if kind == "linked":
            # A record that is not to be there (a child's, one removed since) did no harm either.
            return record in self._records.rightly_linked or not (
                record in self._records.present or record in self._records.expected
            )
        if kind == "absent":
            return record not in self._records.present
        if kind == "gone":
            return not self._events.is_told(record)
        if kind == "true":
            return self._events.is_true(record)
        return kind == "kept" and self._rows.is_kept(record[0], ids)


def _ids(key: str) -> tuple[str, ...]:
    """The ids a logged key may stand for in a landed row: itself, and what follows its kind (`review:15` is row 15)."""
    return (key, key.rpartition(":")[2], key.replace(":", "|"))
