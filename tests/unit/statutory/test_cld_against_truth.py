"""The return judged against the truth: what ought to be there, what differs, and which injected defect explains it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

from connectors.synthetic.expected_return import ASSOCIATION, Truth, expected_lines
from connectors.synthetic.return_comparison import Comparison, compare, explain_failures

START, END = date(2025, 4, 1), date(2026, 3, 31)
ADA, BEA, CAL, TEST = 1, 2, 3, 4
EVENT = {"event_type": "Request", "client_type": "Service user", "start_date": date(2025, 6, 1),
         "end_date": date(2025, 6, 9), "status": "completed", "person_id": ADA, "record": "liquidlogic:L1"}  # fmt: skip
MEMBERS = pd.DataFrame(
    [("p-ada", "liquidlogic:L1"), ("p-bea", "liquidlogic:L2"), ("p-cal", "liquidlogic:L3")],
    columns=["person_id", "record"],
)


def truth(*events: dict[str, Any], defects: tuple[tuple[str, str], ...] = (), caring: bool = False) -> Truth:
    people = [(ADA, date(1950, 5, 17), None, False), (BEA, date(1961, 2, 3), None, False),
              (CAL, date(2010, 1, 1), None, False), (TEST, date(1950, 1, 1), None, True)]  # fmt: skip
    return Truth(
        events=pd.DataFrame(
            [{**EVENT, "reference": f"liquidlogic:request:{n}", **e} for n, e in enumerate(events)],
            columns=[*EVENT, "reference"],
        ),
        people=pd.DataFrame(people, columns=["person_id", "birth_date", "death_date", "is_test"]).set_index(
            "person_id"
        ),
        caring=pd.DataFrame([(BEA, ADA)] if caring else [], columns=["carer", "adult"]),
        records=pd.DataFrame(
            [("liquidlogic:L1", ADA), ("liquidlogic:L2", BEA), ("liquidlogic:L3", CAL)], columns=["record", "person_id"]
        ),
        defects=pd.DataFrame(list(defects), columns=["defect_id", "subject"]),
    )


def found(*lines: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(lines), columns=["event_type", "reference", "reason"])


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({}, "selected"),
        ({"status": "open", "end_date": None}, "still_open"),
        ({"status": "cancelled"}, "cancelled"),
        ({"end_date": date(2025, 3, 31)}, "ended_before_the_period"),
        ({"end_date": date(2026, 4, 1)}, "ended_after_the_period"),
        ({"person_id": CAL}, "under_18_at_period_end"),
        ({"person_id": TEST}, "test_person"),
        ({"event_type": "Service", "status": "open", "end_date": None}, "selected"),
        ({"event_type": "Service", "start_date": date(2026, 4, 1), "end_date": None}, "starts_after_the_period"),
        (
            {"event_type": "Service", "start_date": date(2019, 1, 1), "end_date": date(2025, 3, 31)},
            "ended_before_the_period",
        ),
    ],
)
def test_the_truth_alone_says_what_belongs_in_the_file(event: dict[str, Any], reason: str) -> None:
    assert expected_lines(truth(event), START, END)["reason"].tolist() == [reason]


def test_an_event_told_by_two_systems_counts_once_and_has_the_end_that_only_the_second_knows() -> None:
    old = {"event_type": "Service", "status": "open", "end_date": None, "event_id": 1, "copy_of": None}
    new = {"event_type": "Service", "start_date": date(2025, 8, 4), "event_id": 2, "copy_of": 1,
           "end_date": date(2025, 9, 1)}  # fmt: skip
    table = pd.DataFrame([{**EVENT, **e, "reference": f"s:{n}"} for n, e in enumerate((old, new))])
    lines = expected_lines(replace(truth(), events=table), START, END)
    assert lines[["reference", "reason"]].values.tolist() == [["s:0", "selected"]]
    late = expected_lines(replace(truth(), events=table), date(2025, 9, 2), END)
    assert late["reason"].tolist() == ["ended_before_the_period"], "only the copy knows that it has ended"


def test_what_began_before_the_eighteenth_birthday_is_left_out() -> None:
    known = truth({"person_id": CAL})
    known.people.loc[CAL, "birth_date"] = date(2007, 8, 1)
    lines = expected_lines(known, START, END)
    assert lines["reason"].tolist() == ["before_18"]


def test_the_truth_knows_carers_by_association() -> None:
    lines = expected_lines(truth({}, caring=True), START, END)
    assert lines[lines["event_type"] == ASSOCIATION][["reference", "reason"]].values.tolist() == [
        ["person:2", "selected"]
    ]
    own = expected_lines(truth({}, {"person_id": BEA, "client_type": "Unpaid carer"}, caring=True), START, END)
    assert own[own["event_type"] == ASSOCIATION]["reason"].tolist() == ["has_events_of_their_own"]


def counts(comparison: Comparison, event_type: str) -> dict[str, int]:
    table = comparison.counts.set_index("event_type")
    return {str(name): int(value) for name, value in table.loc[event_type].items()}


def test_agreement_is_counted_by_event_type() -> None:
    lines = found(("Request", "liquidlogic:request:0", "selected"), (ASSOCIATION, "carer:p-bea", "selected"))
    comparison = compare(lines, truth({}, caring=True), MEMBERS, START, END)
    assert comparison.unexplained == 0
    whole = {"expected": 1, "found": 1, "agreed": 1, "missing": 0, "extra": 0, "unexplained": 0}
    assert counts(comparison, "Request") == whole
    assert counts(comparison, ASSOCIATION) == whole


def test_a_difference_nothing_explains_is_listed_as_unexplained() -> None:
    missing = compare(found(), truth({}), MEMBERS, START, END)
    assert missing.differences[["reference", "difference", "explanation"]].values.tolist() == [
        ["liquidlogic:request:0", "missing", ""]
    ]
    extra = compare(found(("Request", "liquidlogic:request:9", "selected")), truth(), MEMBERS, START, END)
    assert counts(extra, "Request")["extra"] == extra.unexplained == 1


def test_a_difference_is_explained_by_the_defect_of_the_event_or_of_the_record() -> None:
    orphan = truth({}, defects=(("D86", "liquidlogic:request:0"),))
    assert compare(found(), orphan, MEMBERS, START, END).differences["explanation"].tolist() == ["D86"]
    dated = found(("Request", "liquidlogic:request:0", "ended_before_the_period"))
    reversed_end = truth({}, defects=(("D70", "liquidlogic:request:0"),))
    assert compare(dated, reversed_end, MEMBERS, START, END).differences["explanation"].tolist() == ["D70"]
    wrong_birth = truth({}, defects=(("D41", "liquidlogic:L1"),))
    child = found(("Request", "liquidlogic:request:0", "under_18_at_period_end"))
    assert compare(child, wrong_birth, MEMBERS, START, END).differences["explanation"].tolist() == ["D41"]


def test_a_defect_that_cannot_move_an_event_explains_nothing() -> None:
    harmless = truth({}, defects=(("D88", "liquidlogic:request:0"), ("D01", "liquidlogic:L1")))
    dated = found(("Request", "liquidlogic:request:0", "ended_before_the_period"))
    assert compare(dated, harmless, MEMBERS, START, END).unexplained == 1


def test_a_linkage_error_is_named_as_such() -> None:
    split = pd.concat([MEMBERS, pd.DataFrame([("p-other", "liquidlogic:L2")], columns=["person_id", "record"])])
    comparison = compare(
        found(("Request", "liquidlogic:request:0", "selected")), truth({}, caring=True), split, START, END
    )
    assert comparison.differences["explanation"].tolist() == ["linkage: one person as several"]


def test_failures_are_explained_by_what_was_injected_there_and_by_nothing_else() -> None:
    failures = pd.DataFrame(
        [
            ("NHS Number", "-1", "error", "liquidlogic:request:0"),
            ("NHS Number", "-1", "error", "carer:p-bea"),
            ("Request: Route of Access", "-1", "error", "liquidlogic:request:0"),
            ("V19", "V19", "error", "whole file"),
        ],
        columns=["check", "code", "level", "reference"],
    )
    known = truth({}, defects=(("D01", "liquidlogic:L1"), ("D02", "liquidlogic:L2"), ("D93", "liquidlogic:request:0")))
    assert explain_failures(failures, known, MEMBERS)["explanation"].tolist() == ["D01", "D02", "", ""]


def test_a_deletion_the_source_has_not_told_yet_explains_an_extra_event_only() -> None:
    deleted = truth(defects=(("D81", "liquidlogic:request:0"),))
    extra = compare(found(("Request", "liquidlogic:request:0", "selected")), deleted, MEMBERS, START, END)
    assert extra.differences["explanation"].tolist() == ["D81"]
    kept = truth({}, defects=(("D81", "liquidlogic:request:0"),))
    lost = compare(found(("Request", "liquidlogic:request:0", "cancelled")), kept, MEMBERS, START, END)
    assert lost.unexplained == 1


def test_an_end_that_was_not_told_yet_explains_an_open_service_of_someone_who_died() -> None:
    failures = pd.DataFrame(
        [("V05", "V05", "error", f"liquidlogic:request:{n}") for n in (0, 1)],
        columns=["check", "code", "level", "reference"],
    )
    known = truth({"event_type": "Service", "status": "open", "end_date": None}, {"event_type": "Service"})
    known.people["death_date"] = date(2026, 3, 16)
    assert explain_failures(failures, known, MEMBERS)["explanation"].tolist() == ["D80", ""]
