"""SystmOne deliveries of any size for the benchmark: patients and coded entries, quick to make, all from one seed.

Not a council: nobody in it has a story. Layout, dialect and habits (line breaks, commas, quotes and smart punctuation
in text, blank and `-1` ids) are those of the extract; the same size always gives the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from connectors.synthetic.split_zip import Member, Packer, write_split_zip
from connectors.synthetic.systmone_tables import COLUMNS, boolean, encoded, line

ROWS_AT_ONCE: Final = 20_000
TABLES: Final = ("SRPatient", "SRCode")
_PART: Final = 4_000_000
_UNIT: Final = "NLF11"
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FORENAMES: Final = ("Margaret", "John", "Eleanor", "Gethin", "Thomas", "Annabel", "Susan", "Zofia", "Mohammed")
_SYLLABLES: Final = ("Smi", "Jon", "Tay", "Bro", "Wil", "Dav", "Eva", "Tho", "Rob", "Joh", "Wal", "Wri", "Hug", "Gre")
_ENDINGS: Final = ("th", "es", "lor", "wn", "liams", "ies", "ns", "mas", "erts", "nson", "ker", "ght", "son", "en")
_ENTRIES: Final = (
    ("9S1..", "White British"), ("9SA..", "Other ethnic group, see notes"), ("XaJ7Q", "Pressure ulcer risk assessment"),
    ("Xa1Fk", 'Wound care "as planned"'), ("2469.", "Blood pressure \u2013 seated"), ("Ua2Lz", "Falls assessment"),
)  # fmt: skip


def write_bulk(folder: Path, patients: int) -> Path:
    """A first load, delivered below `folder`/inbox/systmone; every table also unpacked as `folder`/<table>.csv."""
    return _write(folder, patients, 1, "20260330_0215", {}, plain=folder)


def write_delta(folder: Path, patients: int, every: int = 100) -> Path:
    """The night after: one row in `every` of each table again, changed. Returns the delivery's folder."""
    return _write(folder, patients, every, "20260331_0215", {"IsDelta": "Y", "DateExtractFrom": "20260330_0215"}, None)


def _write(folder: Path, patients: int, every: int, stamp: str, manifest: dict[str, str], plain: Path | None) -> Path:
    delivery = folder / "inbox" / "systmone" / stamp
    delivery.mkdir(parents=True, exist_ok=True)
    listed = [
        {"IsDelta": "N", "IsReference": "N", "DateExtractTo": stamp} | manifest | {"FileName": table}
        for table in TABLES
    ]
    members = [_packed("SRManifest", [listed], None)]
    members += [_packed(table, [[]], None) for table in ("SRMapping", "SRMappingGroup")]
    for table, made in zip(TABLES, (_patient, _code), strict=True):
        rows = _rows(made, table, patients, every)
        members.append(_packed(table, rows, plain and plain / f"{table}.csv"))
    write_split_zip(delivery, "SRExtract", members, _PART)
    return delivery


def _rows(
    made: Callable[[random.Random, int], dict[str, str]], table: str, patients: int, every: int
) -> Iterator[list[dict[str, str]]]:
    draw = random.Random(f"{table}:{patients}:{every}")
    for start in range(0, patients, ROWS_AT_ONCE * every):
        yield [made(draw, number) for number in range(start, min(patients, start + ROWS_AT_ONCE * every), every)]


def _packed(
    table: str, groups: Iterator[list[dict[str, str]]] | list[list[dict[str, str]]], plain: Path | None
) -> Member:
    columns, packer = COLUMNS[table], Packer(f"{table}.csv")
    handle = plain.open("wb") if plain else None
    try:
        for values in _lines(columns, groups):
            data = encoded(values)
            packer.write(data)
            if handle:
                handle.write(data)
    finally:
        if handle:
            handle.close()
    return packer.close()


def _lines(
    columns: Sequence[str], groups: Iterator[list[dict[str, str]]] | list[list[dict[str, str]]]
) -> Iterator[list[str]]:
    yield [line(columns)]
    for rows in groups:
        yield [line([row.get(name, "") for name in columns]) for row in rows]


def _patient(draw: random.Random, number: int) -> dict[str, str]:
    forename, surname = draw.choice(_FORENAMES), draw.choice(_SYLLABLES) + draw.choice(_ENDINGS)
    return {
        "RowIdentifier": str(35_161_000_000 + number),
        "IDOrganisationVisibleTo": _UNIT,
        "Title": draw.choice(("Mr", "Mrs", "Miss", "Ms", "")),
        "FirstName": forename,
        "MiddleNames": draw.choice(_FORENAMES) if draw.random() < 0.5 else "",
        "Surname": surname,
        "PreviousSurname": surname if draw.random() < 0.1 else "",
        "NHSNumber": str(9_000_000_000 + draw.randrange(999_999_999)),
        "DateBirth": f"{_born(number)} 00:00",
        "DateDeath": f"{_day(draw, 2015, 2025)} 00:00" if draw.random() < 0.08 else "",
        "BirthPlace": "Ardenvale, Wickhamshire" if draw.random() < 0.3 else "",
        "Gender": draw.choice("MF"),
        "SpeaksEnglish": str(draw.randrange(1, 9) * 1000),
        "EmailAddress": f"{forename}.{surname}{number}@example.org".lower() if draw.random() < 0.4 else "",
        "TestPatient": "FALSE",
        "SSRef": f"P{number}" if draw.random() < 0.1 else "",
        "SpineMatched": boolean(draw.random() < 0.98),
        "RemovedData": "0",
    }


def _code(draw: random.Random, number: int) -> dict[str, str]:
    code, text = draw.choice(_ENTRIES)
    recorded = _moment(draw)
    is_number = draw.random() < 0.3
    if draw.random() < 0.03:
        text += "\r\nsecond line, \u2018as told\u2019"
    return {
        "RowIdentifier": str(905_000_000_000 + number),
        "IDOrganisationVisibleTo": _UNIT,
        "DateEventRecorded": recorded,
        "DateEvent": recorded if draw.random() < 0.5 else f"{_day(draw, 2024, 2025)} 00:00:00",
        "IDProfileEnteredBy": str(draw.randrange(100_000, 100_900)),
        "IDDoneBy": str(draw.randrange(5_000, 5_900)),
        "IDOrganisationDoneAt": _UNIT,
        "CTV3Code": code,
        "CTV3Text": text,
        "SNOMEDCode": str(draw.randrange(10**8, 10**9)) if draw.random() < 0.8 else "-1",
        "SNOMEDText": text,
        "IsNumeric": boolean(is_number),
        "NumericValue": f"{draw.random() * 200:.1f}" if is_number else "",
        "NumericUnit": "mmHg" if is_number else "",
        "EpisodeType": str(draw.randrange(1, 5)),
        "IDTemplate": "-1",
        "IDQuestionnaire": "-1",
        "IDEvent": str(800_000_000_000 + number // 3),
        "IDPatient": str(35_161_000_000 + number),
        "IDReferralIn": str(52_310_000_000 + number) if draw.random() < 0.7 else "-1",
        "IDAppointment": "-1",
        "IDVisit": str(741_200_000_000 + number) if draw.random() < 0.4 else "-1",
        "IDOrganisation": _UNIT,
        "IDOrganisationRegisteredAt": _UNIT,
        "RemovedData": "0",
    }


def _born(number: int) -> str:
    """A birthday from 1920 to 2012; it stays the same from one night to the next, or adults would become children."""
    return f"{1 + number % 28:02d} {_MONTHS[number * 5 % 12]} {1920 + number * 37 % 93}"


def _day(draw: random.Random, first: int, last: int) -> str:
    return f"{draw.randint(1, 28):02d} {draw.choice(_MONTHS)} {draw.randint(first, last)}"


def _moment(draw: random.Random) -> str:
    return f"{_day(draw, 2024, 2025)} {draw.randrange(24):02d}:{draw.randrange(60):02d}:{draw.randrange(60):02d}"
