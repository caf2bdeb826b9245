"""Ids as each simulated supplier would hand them out.

A supplier numbers every table for itself,
so a fixed offset for each system and kind of event is added to the one number
the truth uses. SystmOne ids are longer than 32 bits on purpose (never ints of 32 bits,
never floats); those of Liquidlogic
and CareFirst stay below 2**31.
"""

from __future__ import annotations

from typing import Final

from connectors.synthetic.world import EventKind, System, TrueEvent

#: ODS code of the simulated community unit: the view its SystmOne extract is made for.
ORGANISATION_CODE: Final = "NLF11"
ORGANISATION_NAME: Final = "Ardenvale Community Health Services"
#: The second community unit, whose own view of SystmOne joins later in some settings.
SECOND_ORGANISATION_CODE: Final = "NLF22"
SECOND_ORGANISATION_NAME: Final = "Selwyn Coast Community Services"

_EVENT_OFFSETS: Final[dict[tuple[System, EventKind], int]] = {
    ("systmone", "referral"): 52_310_000_000,
    ("systmone", "visit"): 741_200_000_000,
    ("systmone", "appointment"): 343_760_000_000,
    ("liquidlogic", "request"): 10_000_000,
    ("liquidlogic", "assessment"): 210_000_000,
    ("liquidlogic", "review"): 410_000_000,
    ("liquidlogic", "service"): 610_000_000,
    ("carefirst", "request"): 1_100_000_000,
    ("carefirst", "assessment"): 1_300_000_000,
    ("carefirst", "review"): 1_500_000_000,
    ("carefirst", "service"): 1_700_000_000,
    ("liquidlogic", "involvement"): 810_000_000,
    ("liquidlogic", "safeguarding"): 1_010_000_000,
    ("liquidlogic", "dols"): 1_210_000_000,
    ("carefirst", "involvement"): 1_900_000_000,
    ("carefirst", "safeguarding"): 2_000_000_000,
    ("carefirst", "dols"): 2_100_000_000,
    ("micare", "request"): 110_000_000,
    ("micare", "assessment"): 220_000_000,
    ("micare", "review"): 330_000_000,
    ("micare", "service"): 440_000_000,
    ("micare", "involvement"): 550_000_000,
    ("micare", "safeguarding"): 660_000_000,
    ("micare", "dols"): 770_000_000,
}

#: The parts of a county share no number: so many records, events and list entries are set aside for each.
RECORDS_EACH: Final = 150_000
EVENTS_EACH: Final = 450_000
LIST_ITEMS_EACH: Final = 500

_SYSTMONE_PERSON_OFFSET: Final = 35_161_000_000
_LIQUIDLOGIC_PERSON_OFFSET: Final = 100_000
_CAREFIRST_PERSON_OFFSET: Final = 4_000_000
_MICARE_PERSON_OFFSET: Final = 120_000
_CONTROCC_PERSON_OFFSET: Final = 500_000
_CHECK_LETTERS: Final = "ABCDEFGHJKLMNPQRSTVWXYZ"  # 23: without I, O and U


def supplier_event_id(system: System, kind: EventKind, event_id: int) -> int:
    """The id the supplier's own table gives the event.

    Raises:
        KeyError: when `system` does not record events of that kind.
    """
    return _EVENT_OFFSETS[(system, kind)] + event_id


def event_key(event: TrueEvent) -> str:
    """The `event_key` the connectors store for the event: kind, colon, the supplier's id."""
    return f"{event.kind}:{supplier_event_id(event.system, event.kind, event.event_id)}"


def systmone_row_id(number: int) -> int:
    """The `RowIdentifier` of the patient record with running number `number` (eleven digits)."""
    return _SYSTMONE_PERSON_OFFSET + number


def person_key(system: System, number: int) -> str:
    """The `source_person_key` of the record with running number `number` in that system.

    SystmOne: organisation code, colon,
    `RowIdentifier` (the key is the pair). MiCare: eight digits with leading zeros and a check letter. The others: a
    plain number.
    """
    if system == "systmone":
        return f"{ORGANISATION_CODE}:{systmone_row_id(number)}"
    if system == "liquidlogic":
        return str(_LIQUIDLOGIC_PERSON_OFFSET + number)
    if system == "micare":
        digits = f"{_MICARE_PERSON_OFFSET + number:08d}"
        return digits + micare_check_letter(digits)
    if system == "controcc":
        return str(_CONTROCC_PERSON_OFFSET + number)
    return str(_CAREFIRST_PERSON_OFFSET + number)


def micare_check_letter(digits: str) -> str:
    """The final letter of a MiCare person number: digits times 9, 8 … 2, added up, modulo 23, looked up in 23 letters.

    The sources hand-book (6.2) says only that there is a check letter; this rule is an assumption of the project. Any
    one wrong digit and any swap of neighbours changes the letter. Raises ValueError for anything but eight digits.
    """
    if len(digits) != 8 or not digits.isdecimal():
        raise ValueError("a MiCare person number has eight digits before its check letter")
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(9, 1, -1), strict=True))
    return _CHECK_LETTERS[total % len(_CHECK_LETTERS)]


def second_unit_key(key: str) -> str:
    """The key under which the second community unit sees the same SystmOne patient: same row, other organisation."""
    return f"{SECOND_ORGANISATION_CODE}:{systmone_key_parts(key)[1]}"


def systmone_key_parts(key: str) -> tuple[str, int]:
    """Organisation code and `RowIdentifier` of a SystmOne person key; raises ValueError for any other shape."""
    organisation, _, row = key.partition(":")
    if not organisation or not row.isdecimal():
        raise ValueError("not a SystmOne person key: expected organisation code, colon, row identifier")
    return organisation, int(row)
