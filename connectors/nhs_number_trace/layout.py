"""The two files of a tracing exchange: what is asked of the national service, and what comes back.

Field names are the service's own (sources hand-book 8.1); packing them as CSV with a header is an assumption. All is
text; a file whose header differs is refused as a whole.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from connectors.base import DeliveryProblem
from domain.run import Finding, RunState

REQUEST: Final = (
    "UNIQUE_REFERENCE", "NHS_NO", "FAMILY_NAME", "GIVEN_NAME", "OTHER_GIVEN_NAME", "GENDER", "DATE_OF_BIRTH",
    "DATE_OF_DEATH", "ADDRESS_LINE1", "ADDRESS_LINE2", "ADDRESS_LINE3", "ADDRESS_LINE4", "ADDRESS_LINE5",
    "ADDRESS_DATE", "POSTCODE", "GP_PRACTICE_CODE", "NHAIS_POSTING_ID", "AS_AT_DATE", "LOCAL_PATIENT_ID", "INTERNAL_ID",
    "TELEPHONE_NUMBER", "MOBILE_NUMBER", "EMAIL_ADDRESS",
)  # fmt: skip
SCORES: Final = {
    "ALGORITHMICTRACE_FAMILY_NAME_SCORE_PERC": "family_name",
    "ALGORITHMICTRACE_GIVEN_NAME_SCORE_PERC": "given_name",
    "ALGORITHMICTRACE_DOB_SCORE_PERC": "birth_date",
    "ALGORITHMICTRACE_GENDER_SCORE_PERC": "gender",
    "ALGORITHMICTRACE_POSTCODE_SCORE_PERC": "postcode",
}
RESPONSE: Final = (
    *REQUEST, "MATCHED_NHS_NO", "PERSON_ID", "MPS_ID", "MatchedAlgorithmIndicator", "MatchedConfidencePercentage",
    *SCORES, "ERROR_SUCCESS_CODE", "SUPERSEDED_NHS_NO",
)  # fmt: skip

#: What `MatchedAlgorithmIndicator` says (sources hand-book 8.1).
STEPS: Final = {"0": "none", "1": "cross_check", "3": "alphanumeric", "4": "algorithmic"}
SUCCESS, SEVERAL, NOT_FOUND = "00", "97", "98"
NO_NUMBER, MANY_NUMBERS = "0000000000", "9999999999"


def write(rows: Iterable[Mapping[str, str]], columns: Sequence[str]) -> bytes:
    """The rows as one file; fields a row does not have are empty."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8")


def read(content: bytes, columns: Sequence[str], name: str) -> list[dict[str, str]]:
    """All rows of one file.

    Raises:
        DeliveryProblem: refused, when it is empty, not UTF-8, has another header, or a row with more or fewer fields.
    """
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise _refused(name, "it is not a readable CSV file") from None
    if not lines or tuple(lines[0]) != tuple(columns):
        raise _refused(name, "its header is not that of the exchange")
    odd = [place for place, line in enumerate(lines[1:], 2) if len(line) != len(columns)]
    if odd:
        raise _refused(name, f"record {odd[0]} has another number of fields than the header")
    return [dict(zip(columns, line, strict=True)) for line in lines[1:]]


def _refused(name: str, what: str) -> DeliveryProblem:
    finding = Finding("TRACE_FILE", f"{name}: {what}", "nothing was taken; ask the tracing service to send it again")
    return DeliveryProblem(RunState.REFUSED, finding)
