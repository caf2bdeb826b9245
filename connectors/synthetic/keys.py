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
}

_SYSTMONE_PERSON_OFFSET: Final = 35_161_000_000
_LIQUIDLOGIC_PERSON_OFFSET: Final = 100_000
_CAREFIRST_PERSON_OFFSET: Final = 4_000_000


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
    `RowIdentifier` (the key is the pair). Liquidlogic and CareFirst: a plain number.
    """
    if system == "systmone":
        return f"{ORGANISATION_CODE}:{systmone_row_id(number)}"
    if system == "liquidlogic":
        return str(_LIQUIDLOGIC_PERSON_OFFSET + number)
    return str(_CAREFIRST_PERSON_OFFSET + number)


def systmone_key_parts(key: str) -> tuple[str, int]:
    """Organisation code and `RowIdentifier` of a SystmOne person key; raises ValueError for any other shape."""
    organisation, _, row = key.partition(":")
    if not organisation or not row.isdecimal():
        raise ValueError("not a SystmOne person key: expected organisation code, colon, row identifier")
    return organisation, int(row)
