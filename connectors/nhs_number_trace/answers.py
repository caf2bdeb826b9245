"""From a row of the tracing service's answer to a status of the NHS number (sources hand-book 7.3, 8.3, 9.1).

A number is verified (01) when the service found exactly one person by a step that may be trusted: the cross-check, the
alphanumeric step, or an algorithmic score that reaches the council's own limit. The score is not a probability; what
lies below the limit is a clash (05) that a person must resolve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from connectors.nhs_number_trace.layout import MANY_NUMBERS, NO_NUMBER, SCORES, SEVERAL, STEPS, SUCCESS
from domain.identifiers import parse_nhs_number

Status = Literal["01", "04", "05"]
PersonIdType = Literal["nhs_number", "mps_id", "one_time"]

#: An algorithmic answer verifies a number from this score on (assumption; `accept_algorithmic_from` in the profile).
ACCEPT_FROM: Final = 95.0


class AnswerError(ValueError):
    """An answer contradicts itself: names the field, never its value."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said of one record, after the published diagnostics layout."""

    unique_reference: str
    status: Status
    matched_number: str | None  # ten digits, when one person was found
    person_id_type: PersonIdType
    mps_id: str | None
    step: str  # the step that succeeded: cross_check, alphanumeric, algorithmic, none
    is_superseded: bool  # the number we sent has been replaced by the one that came back
    is_several: bool
    score: float
    feature_scores: Mapping[str, float]  # family_name, given_name, birth_date, gender, postcode: 0 to 100


def answer_of(row: Mapping[str, str], *, allow_test_range: bool, accept_from: float = ACCEPT_FROM) -> Answer:
    """Read one row of the response. Raises `AnswerError` when it contradicts itself."""
    step = STEPS.get(row["MatchedAlgorithmIndicator"])
    if step is None:
        raise AnswerError("MatchedAlgorithmIndicator is none of its codes")
    found = row["ERROR_SUCCESS_CODE"] == SUCCESS
    number = _number(row, found, allow_test_range)
    score = _percent(row, "MatchedConfidencePercentage") or 0.0
    sent = parse_nhs_number(row["NHS_NO"], allow_test_range=allow_test_range).number
    superseded = bool(found and row["SUPERSEDED_NHS_NO"] and sent != number)
    scores = {name: value for column, name in SCORES.items() if (value := _percent(row, column)) is not None}
    return Answer(
        unique_reference=row["UNIQUE_REFERENCE"],
        status=_status(step, score, accept_from) if number else "04",
        matched_number=number,
        person_id_type=_person_id_type(row["PERSON_ID"], found),
        mps_id=row["MPS_ID"] or None,
        step=step,
        is_superseded=superseded,
        is_several=row["ERROR_SUCCESS_CODE"] == SEVERAL,
        score=score,
        feature_scores=scores,
    )


def _status(step: str, score: float, accept_from: float) -> Status:
    return "05" if step == "algorithmic" and score < accept_from else "01"


def _number(row: Mapping[str, str], found: bool, allow_test_range: bool) -> str | None:
    if not found:
        if row["MATCHED_NHS_NO"] not in (NO_NUMBER, MANY_NUMBERS):
            raise AnswerError("MATCHED_NHS_NO is filled although nobody was found")
        return None
    number = parse_nhs_number(row["MATCHED_NHS_NO"], allow_test_range=allow_test_range).number
    if number is None:
        raise AnswerError("MATCHED_NHS_NO is no NHS number although somebody was found")
    return number


def _person_id_type(person_id: str, found: bool) -> PersonIdType:
    if found and person_id.isdigit() and len(person_id) == 10:
        return "nhs_number"
    if person_id[:1] in ("A", "B"):
        return "mps_id"
    if person_id[:1] == "U":
        return "one_time"
    raise AnswerError("PERSON_ID is of no known kind")


def _percent(row: Mapping[str, str], column: str) -> float | None:
    text = row[column]
    if text == "":
        return None
    try:
        value = float(text)
    except ValueError:
        raise AnswerError(f"{column} is not a number") from None
    if not 0 <= value <= 100:
        raise AnswerError(f"{column} is not a share of a hundred")
    return value
