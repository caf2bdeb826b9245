"""Sets a Client Level Data file beside the truth of the council it was made for, and explains every difference.

A difference is explained by a defect the simulator injected there, or by a linkage error; what is left is unexplained
and must be nothing. Reads the return's own accounts only (its selection and its failures), never a personal value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from connectors.synthetic.expected_return import ASSOCIATION, EVENT_TYPES, SELECTED, Truth, expected_lines, load_truth

if TYPE_CHECKING:
    import pandas as pd

ABSENT: Final = "not in the release"

#: What can move an event into or out of the file: wrong end, closed late, no person or no plan, told by two systems.
_MOVES_AN_EVENT: Final = frozenset({"D70", "D83", "D84", "D86", "D87", "CUT"})
#: Deleted after it was extracted: a source that tells of deletions once a week may still hold it on the last night.
_DELETED: Final = frozenset({"D81"})
#: Defects of a person's record that can do so: test person, birth or death date, two people in one record.
_MOVES_A_PERSON: Final = frozenset({"D13", "D14", "D40", "D41", "D42", "D43", "D44", "D45"})


@dataclass(frozen=True)
class Comparison:
    """Counts by event type, and every difference with its explanation."""

    counts: pd.DataFrame  # event_type, expected, found, agreed, missing, extra, unexplained
    differences: pd.DataFrame  # event_type, reference, difference, expected, found, explanation ("" = unexplained)

    @property
    def unexplained(self) -> int:
        return int((self.differences["explanation"] == "").sum())


def compare(found: pd.DataFrame, truth: Truth, members: pd.DataFrame, start: date, end: date) -> Comparison:
    """Compare the return's own account with the truth, line by line.

    Args:
        found: the return's selection account: event_type, reference, reason.
        truth: from `load_truth`.
        members: person_id (ours), record (source:key): which records the linkage put into which person.
        start: first day of the period.
        end: last day of the period.
    """
    expected = expected_lines(truth, start, end)
    people = _People(truth, members)
    lines = people.in_true_ids(found).merge(
        expected, on=["event_type", "reference"], how="outer", suffixes=("_found", "_expected")
    )
    lines = lines.rename(columns={"reason_found": "found", "reason_expected": "expected"}).fillna(
        {"found": ABSENT, "expected": ABSENT}
    )
    is_found, is_expected = lines["found"] == SELECTED, lines["expected"] == SELECTED
    differing = lines[is_found != is_expected].sort_values(["event_type", "reference"], ignore_index=True)
    differences = differing[["event_type", "reference", "found", "expected"]].assign(
        difference=(differing["found"] == SELECTED).map({True: "extra", False: "missing"}),
        explanation=[
            people.explain(str(reference), str(fate), str(ought))
            for reference, fate, ought in zip(
                differing["reference"], differing["found"], differing["expected"], strict=True
            )
        ],
    )
    return Comparison(_counts(lines, differences), differences)


def _counts(lines: pd.DataFrame, differences: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for event_type in (*EVENT_TYPES.values(), ASSOCIATION):
        here = lines[lines["event_type"] == event_type]
        off = differences[differences["event_type"] == event_type]
        expected, found = here["expected"] == SELECTED, here["found"] == SELECTED
        rows.append(
            {
                "event_type": event_type,
                "expected": int(expected.sum()),
                "found": int(found.sum()),
                "agreed": int((expected & found).sum()),
                "missing": int((off["difference"] == "missing").sum()),
                "extra": int((off["difference"] == "extra").sum()),
                "unexplained": int((off["explanation"] == "").sum()),
            }
        )
    return pd.DataFrame(rows)


class _People:
    """Who is who: records, true people, the people linkage made of them, and the defects of each."""

    def __init__(self, truth: Truth, members: pd.DataFrame) -> None:
        self.defects = _sets(zip(truth.defects["subject"], truth.defects["defect_id"], strict=True))
        self.records_of = _sets(zip(truth.records["person_id"], truth.records["record"], strict=True))
        self.event_person = dict(zip(truth.events["reference"], truth.events["person_id"], strict=True))
        true_of_record = dict(zip(truth.records["record"], truth.records["person_id"], strict=True))
        pairs = [(ours, true_of_record.get(record)) for ours, record in members[["person_id", "record"]].values]
        self.true_of = _sets((ours, true) for ours, true in pairs if true is not None)
        self.ours_of = _sets((true, ours) for ours, true in pairs if true is not None)
        self.merged = {true for group in self.true_of.values() if len(group) > 1 for true in group}

    def in_true_ids(self, found: pd.DataFrame) -> pd.DataFrame:
        """The account with carers named by their true id; of several lines for one carer the selected one counts."""
        carers = found["event_type"] == ASSOCIATION
        true = found["reference"].str.removeprefix("carer:").map(lambda ours: f"person:{self._first_true(ours)}")
        named = found.assign(reference=found["reference"].where(~carers, true))
        selected_first = named.assign(order=named["reason"] != SELECTED).sort_values("order", kind="stable")
        return selected_first.drop_duplicates(["event_type", "reference"]).drop(columns="order")

    def _first_true(self, ours: str) -> str:
        return str(min(self.true_of.get(ours, {"unknown"})))

    def person_of(self, reference: str) -> Any:
        """The true person behind an event reference, `person:<true id>` or `carer:<our id>`; None when unknown."""
        kind, _, name = reference.partition(":")
        if kind == "person":
            return int(name) if name.isdecimal() else None
        if kind == "carer":
            return min(self.true_of.get(name, {None}))
        return self.event_person.get(reference)

    def record_defects(self, person: Any) -> frozenset[str]:
        """Defects of all records of a true person."""
        records = self.records_of.get(person, set())
        return frozenset(defect for record in records for defect in self.defects.get(record, set()))

    def explain(self, reference: str, found: str, expected: str) -> str:
        """The defects, or the linkage error, that account for a difference; empty when there are none."""
        of_event = self.defects.get(reference, set())
        moves = _MOVES_AN_EVENT | (_DELETED if expected == ABSENT else frozenset())
        causes = of_event if found == ABSENT else of_event & moves
        person = self.person_of(reference)
        causes = causes | (self.record_defects(person) & _MOVES_A_PERSON)
        if causes:
            return ", ".join(sorted(causes))
        if len(self.ours_of.get(person, set())) > 1:
            return "linkage: one person as several"
        return "linkage: several people as one" if person in self.merged else ""


def _sets(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, set[Any]]:
    grouped: dict[Any, set[Any]] = {}
    for key, value in pairs:
        grouped.setdefault(key, set()).add(value)
    return grouped


#: Failed check -> defects of the event, defects of the person's records, either of which the simulator injected.
CAUSES: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "NHS Number": (frozenset(), frozenset({"D01", "D02", "D03", "D05", "D06", "D07", "D08", "D09", "D10"})),
    "Postcode": (frozenset(), frozenset({"D61", "D62", "D63", "D64", "D65", "D68"})),
    "Date of Birth": (frozenset(), frozenset({"D40", "D41", "D42", "D43"})),
    "Event End Date": (frozenset({"D70", "D83"}), frozenset({"D44", "D45"})),
    "Primary Support Reason": (frozenset({"D84"}), frozenset()),
    "Event Outcome": (frozenset({"D84"}), frozenset()),
    "Request: Route of Access": (frozenset({"D84"}), frozenset()),
    "Assessment Type": (frozenset({"D84"}), frozenset()),
    "Method of Assessment": (frozenset({"D84"}), frozenset()),
    "Service Type": (frozenset({"D84"}), frozenset()),
    "Service Component": (frozenset({"D84"}), frozenset()),
    "Review Reason": (frozenset({"D84"}), frozenset()),
    "Method of Review": (frozenset({"D84"}), frozenset()),
    "Unit Cost": (frozenset({"D93", "D84"}), frozenset()),
    "Cost Frequency (Unit Type)": (frozenset({"D93", "D84"}), frozenset()),
    "Planned units per week": (frozenset({"D93", "D84"}), frozenset()),
    "V01": (frozenset({"D70"}), frozenset()),
    "V05": (frozenset({"D45", "D70", "D83"}), frozenset({"D13", "D40", "D41", "D42", "D43", "D44", "D45"})),
}

#: Checks that ask for the end of a service when the person has died; its end is told some nights later (D80).
_NEED_AN_END: Final = frozenset({"Event End Date", "V05"})


def explain_failures(failures: pd.DataFrame, truth: Truth, members: pd.DataFrame) -> pd.DataFrame:
    """Name the injected defect behind each failing line of the validation (check, code, level, reference).

    Returns the lines with `explanation`: defect ids, or empty where nothing injected accounts for the failure.
    """
    people = _People(truth, members)
    died = truth.people.index[truth.people["death_date"].notna()]
    left_open = (truth.events["status"] == "open") & truth.events["person_id"].isin(died)
    still_open = set(truth.events.loc[left_open, "reference"])

    def explain(check: str, reference: str) -> str:
        of_event, of_person = CAUSES.get(check, (frozenset(), frozenset()))
        found = people.defects.get(reference, set()) & of_event
        found |= people.record_defects(people.person_of(reference)) & of_person
        if check in _NEED_AN_END and reference in still_open:
            found |= {"D80"}
        return ", ".join(sorted(found))

    pairs = zip(failures["check"], failures["reference"], strict=True)
    return failures.assign(explanation=[explain(str(check), str(reference)) for check, reference in pairs])


def compare_with_truth(
    truth_folder: Path, period: tuple[date, date], file: Path, members: pd.DataFrame
) -> dict[str, dict[str, Any]]:
    """Judge a prepared file by the accounts that lie beside it.

    Returns for each event type: expected, found, agreed, missing, extra, explained, unexplained, and `differences`, one
    line each with its cause. Raises `ValueError` when the file does not hold exactly what its account says it selected.
    """
    import pandas as pd

    account = pd.read_csv(beside(file, "selection"), dtype=str, keep_default_na=False)
    _insist_on_agreement(file, account)
    comparison = compare(account, load_truth(truth_folder), members, *period)
    result: dict[str, dict[str, Any]] = {}
    for line in comparison.counts.to_dict("records"):
        differences = comparison.differences[comparison.differences["event_type"] == line["event_type"]]
        explained = len(differences) - line["unexplained"]
        details = differences.drop(columns="event_type").to_dict("records")
        figures = {str(name): value for name, value in line.items() if name != "event_type"}
        result[str(line["event_type"])] = {**figures, "explained": explained, "differences": details}
    return result


def errors_with_causes(truth_folder: Path, file: Path, members: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Each failing check at level error: its rows, how many an injected defect explains, which, and how many none."""
    import pandas as pd

    failures = pd.read_csv(beside(file, "failures"), dtype=str, keep_default_na=False)
    lines = explain_failures(failures[failures["level"] == "error"], load_truth(truth_folder), members)
    result = {}
    for check, rows in lines.groupby("check"):
        causes = rows["explanation"].value_counts().to_dict()
        unexplained = int(causes.pop("", 0))
        explained = len(rows) - unexplained
        result[str(check)] = {"rows": len(rows), "explained": explained, "unexplained": unexplained, "causes": causes}
    return result


def beside(file: Path, name: str) -> Path:
    """The account called `name` that was written with the return."""
    return file.with_name(f"{file.stem}_{name}.csv")


def _insist_on_agreement(file: Path, account: pd.DataFrame) -> None:
    import pandas as pd

    sent = pd.read_csv(
        file, dtype=str, keep_default_na=False, usecols=["Event Reference", "LA Person Unique Identifier"]
    )
    own = "carer:" + sent["LA Person Unique Identifier"]
    references = sent["Event Reference"].where(sent["Event Reference"] != "", own)
    if sorted(references) != sorted(account.loc[account["reason"] == SELECTED, "reference"]):
        raise ValueError(f"{file.name} does not hold the rows that its selection account lists")
