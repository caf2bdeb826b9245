"""A local stand-in for the national tracing service: it answers a request file step by step (sources 8.2, 8.3).

Cross-check on the number; alphanumeric search; an algorithmic search over four blocks with a score; and for those
nobody found the bucket of unmatched people. Written against the published description, not against the connector.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from connectors.synthetic import national_index
from connectors.synthetic.national_index import NationalRecord
from connectors.synthetic.tracing_scores import (
    birth_parts_agree,
    birth_score,
    gender_score,
    name_score,
    postcode_score,
    soundex,
)

_STRIPPED: Final = str.maketrans("", "", "!$%&()[]{}=:;#~@|<>.?/_\\£")
_TOO_MANY: Final = 50
_CLOSE: Final = 5.0
_MATCH: Final = 50.0
_RESULT: Final = (
    "MATCHED_NHS_NO", "PERSON_ID", "MPS_ID", "MatchedAlgorithmIndicator", "MatchedConfidencePercentage",
    "ALGORITHMICTRACE_FAMILY_NAME_SCORE_PERC", "ALGORITHMICTRACE_GIVEN_NAME_SCORE_PERC",
    "ALGORITHMICTRACE_DOB_SCORE_PERC", "ALGORITHMICTRACE_GENDER_SCORE_PERC", "ALGORITHMICTRACE_POSTCODE_SCORE_PERC",
    "ERROR_SUCCESS_CODE", "SUPERSEDED_NHS_NO",
)  # fmt: skip


@dataclass(slots=True)
class TracingService:
    """The index with its look-ups, and the bucket of people nobody found."""

    records: list[NationalRecord]
    by_number: dict[str, NationalRecord] = field(default_factory=dict)
    by_block: dict[tuple[str, ...], list[NationalRecord]] = field(default_factory=lambda: defaultdict(list))
    bucket: dict[tuple[str, ...], str] = field(default_factory=dict)
    one_time: int = 0

    def __post_init__(self) -> None:
        for record in self.records:
            for number in (record.nhs_number, *record.superseded):
                self.by_number[number] = record
            for block in _blocks(record):
                self.by_block[block].append(record)

    def answer(self, request: bytes) -> bytes:
        """The response file for a request file."""
        rows = list(csv.DictReader(io.StringIO(request.decode("utf-8"), newline="")))
        out = io.StringIO(newline="")
        columns = [*(rows[0] if rows else ()), *_RESULT]
        writer = csv.DictWriter(out, columns, restval="", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(row | self._trace({name: _clean(value) for name, value in row.items()}))
        return out.getvalue().encode("utf-8")

    def _trace(self, asked: dict[str, str]) -> dict[str, str]:
        found = self._cross_check(asked)
        if found is not None:
            return _matched(found, "1", 100.0, asked["NHS_NO"])
        found = self._alphanumeric(asked)
        if found is not None:
            return _matched(found, "3", 100.0, asked["NHS_NO"])
        return self._algorithmic(asked)

    def _cross_check(self, asked: dict[str, str]) -> NationalRecord | None:
        """Number and birth date equal; else number (superseded ones followed), birth date partly, and name or place."""
        record = self.by_number.get(asked["NHS_NO"])
        if record is None:
            return None
        if asked["NHS_NO"] == record.nhs_number and asked["DATE_OF_BIRTH"] == record.birth:
            return record
        if not birth_parts_agree(asked["DATE_OF_BIRTH"], record.birth):
            return None
        outward = asked["POSTCODE"].partition(" ")[0]
        named = asked["GIVEN_NAME"][:1] == record.given[:1] and asked["FAMILY_NAME"][:3] == record.family[:3]
        placed = bool(outward) and any(outward == p.partition(" ")[0] for p in record.postcodes)
        return record if named or placed else None

    def _alphanumeric(self, asked: dict[str, str]) -> NationalRecord | None:
        """Exactly one person with the sound of the family name, the gender, and every other detail that was sent."""
        if not (asked["FAMILY_NAME"] and asked["DATE_OF_BIRTH"] and asked["GENDER"] in ("1", "2")):
            return None
        block = ("fdg", soundex(asked["FAMILY_NAME"]), asked["DATE_OF_BIRTH"], asked["GENDER"])
        alike = [record for record in self.by_block.get(block, ()) if _agrees(record, asked)]
        return alike[0] if len(alike) == 1 else None

    def _algorithmic(self, asked: dict[str, str]) -> dict[str, str]:
        if not (asked["DATE_OF_BIRTH"] and asked["GENDER"] and asked["POSTCODE"]):
            return self._unmatched(asked, "0")
        candidates = {record.nhs_number: record for block in _asked_blocks(asked) for record in self.by_block[block]}
        if not candidates or len(candidates) > _TOO_MANY:
            return self._unmatched(asked, "4")
        scored = sorted(((_score(record, asked), record) for record in candidates.values()), key=lambda s: -s[0][0])
        (best, features), record = scored[0]
        if len(scored) > 1 and best - scored[1][0][0] < _CLOSE:
            return self._unmatched(asked, "4", several=True)
        if best < _MATCH:
            return self._unmatched(asked, "4")
        return _matched(record, "4", best, asked["NHS_NO"]) | features

    def _unmatched(self, asked: dict[str, str], step: str, *, several: bool = False) -> dict[str, str]:
        person_id = self._bucket_id(asked)
        return {
            "MATCHED_NHS_NO": "9999999999" if several else "0000000000",
            "PERSON_ID": person_id,
            "MPS_ID": person_id if person_id[0] == "A" else "",
            "MatchedAlgorithmIndicator": step,
            "MatchedConfidencePercentage": "0",
            "ERROR_SUCCESS_CODE": "97" if several else "98",
        }

    def _bucket_id(self, asked: dict[str, str]) -> str:
        if not asked["DATE_OF_BIRTH"] or not (asked["LOCAL_PATIENT_ID"] or asked["POSTCODE"]):
            self.one_time += 1
            return f"U{self.one_time:09d}"
        who = (asked["FAMILY_NAME"], asked["GIVEN_NAME"], asked["DATE_OF_BIRTH"], asked["GENDER"])
        key = (*who, asked["POSTCODE"] or asked["LOCAL_PATIENT_ID"])
        return self.bucket.setdefault(key, f"A{len(self.bucket) + 1:09d}")


def answer_all(supply: Path, folder: Path) -> int:
    """Answer every request in `folder`/request that has no response in `folder`/response; returns how many."""
    waiting = sorted(r for r in (folder / "request").glob("*.csv") if not (folder / "response" / r.name).exists())
    if not waiting:
        return 0
    service = TracingService(national_index.load(supply))
    (folder / "response").mkdir(parents=True, exist_ok=True)
    for request in waiting:
        unfinished = folder / "response" / f".{request.name}"
        unfinished.write_bytes(service.answer(request.read_bytes()))
        unfinished.replace(folder / "response" / request.name)
    return len(waiting)


def _clean(value: str) -> str:
    """Upper case, without the signs the service strips (8.2)."""
    return re.sub(r"\s+", " ", value.upper().translate(_STRIPPED)).strip()


def _blocks(record: NationalRecord) -> Iterator[tuple[str, ...]]:
    families = {soundex(name) for name in (record.family, *record.earlier_families)}
    givens = {soundex(name) for name in (record.given, *record.earlier_givens)}
    yield ("fdg", soundex(record.family), record.birth, record.gender)
    for family in families:
        yield from (("fgd", family, given, record.birth) for given in givens)
        yield from (("fgdp", family, record.gender, record.birth, place) for place in record.postcodes)
    for given in givens:
        yield from (("ggdp", given, record.gender, record.birth, place) for place in record.postcodes)
    yield from (("dgp", record.birth, record.gender, place) for place in record.postcodes)


def _asked_blocks(asked: dict[str, str]) -> Iterable[tuple[str, ...]]:
    family, given = soundex(asked["FAMILY_NAME"]), soundex(asked["GIVEN_NAME"])
    born, gender, place = asked["DATE_OF_BIRTH"], asked["GENDER"], asked["POSTCODE"]
    return (
        ("fgd", family, given, born),
        ("fgdp", family, gender, born, place),
        ("ggdp", given, gender, born, place),
        ("dgp", born, gender, place),
    )


def _agrees(record: NationalRecord, asked: dict[str, str]) -> bool:
    givens = {soundex(name) for name in (record.given, *record.earlier_givens)}
    return (
        (not asked["GIVEN_NAME"] or soundex(asked["GIVEN_NAME"]) in givens)
        and (not asked["POSTCODE"] or " " not in asked["POSTCODE"] or asked["POSTCODE"] in record.postcodes)
        and (not asked["GP_PRACTICE_CODE"] or not record.practice or asked["GP_PRACTICE_CODE"] == record.practice)
        and (not asked["DATE_OF_DEATH"] or asked["DATE_OF_DEATH"] == record.death)
    )


def _score(record: NationalRecord, asked: dict[str, str]) -> tuple[float, dict[str, str]]:
    features = {
        "FAMILY_NAME": name_score(asked["FAMILY_NAME"], (record.family, *record.earlier_families)),
        "GIVEN_NAME": name_score(asked["GIVEN_NAME"], (record.given, *record.earlier_givens)),
        "DOB": birth_score(asked["DATE_OF_BIRTH"], record.birth),
        "GENDER": gender_score(asked["GENDER"], record.gender),
        "POSTCODE": postcode_score(asked["POSTCODE"], record.postcodes),
    }
    given = [value for value in features.values() if value is not None]
    columns = {f"ALGORITHMICTRACE_{k}_SCORE_PERC": f"{v:.2f}" for k, v in features.items() if v is not None}
    return sum(given) / len(given), columns


def _matched(record: NationalRecord, step: str, score: float, sent: str) -> dict[str, str]:
    return {
        "MATCHED_NHS_NO": record.nhs_number,
        "PERSON_ID": record.nhs_number,
        "MPS_ID": "",
        "MatchedAlgorithmIndicator": step,
        "MatchedConfidencePercentage": f"{score:.2f}",
        "ERROR_SUCCESS_CODE": "00",
        "SUPERSEDED_NHS_NO": sent if sent in record.superseded else "",
    }
