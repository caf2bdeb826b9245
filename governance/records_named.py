"""How people at work name a source record: `source:key`, by the supplier's own key, and what they may write about it.

A protected record's key is shown to nobody here, and a reason that holds an NHS number is not taken (governance PRO-3,
INC-1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

HIDDEN: Final = "(restricted)"
_NUMBER: Final = re.compile(r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{4}(?!\d)")


class NotTaken(ValueError):
    """What was typed cannot be taken; says why without repeating it."""


def record_number(connection: Connection, name: str) -> int:
    """The internal number of the record `source:key`; a plain number is taken as one.

    Raises:
        NotTaken: there is no such record.
    """
    source, _, key = name.strip().partition(":")
    found = connection.exec_driver_sql(
        """select source_record_id from identity.source_record
            where (source = %(source)s and source_person_key = %(key)s)
               or (%(key)s = '' and source_record_id::text = %(source)s)""",
        {"source": source, "key": key},
    ).scalar_one_or_none()
    if found is None:
        raise NotTaken("the record is not known; name it as source:key, for example carefirst:1234567")
    return int(found)


def names_of(connection: Connection, records: Iterable[int]) -> dict[int, str]:
    """Internal number -> `source:key`; of a record that is or ever was protected only that it is."""
    rows = connection.exec_driver_sql(
        """select r.source_record_id, r.source || ':' || r.source_person_key,
               exists (select from identity.source_person p
                        where p.source_record_id = r.source_record_id and p.is_restricted)
             from identity.source_record r where r.source_record_id = any(%(records)s)""",
        {"records": sorted(set(records))},
    )
    return {int(number): HIDDEN if is_hidden else str(name) for number, name, is_hidden in rows}


def plain(text: str, what: str) -> str:
    """`text` without its margins. Raises `NotTaken` when it is empty or holds an NHS number; `what` names the field."""
    from domain.identifiers import parse_nhs_number

    told = text.strip()
    if not told:
        raise NotTaken(f"{what} is missing")
    if any(parse_nhs_number(found, allow_test_range=True).number for found in _NUMBER.findall(told)):
        raise NotTaken(f"{what} holds an NHS number; say where the paper is filed instead")
    return told


def two_people(first: str, second: str) -> tuple[str, str]:
    """Both names. Raises `NotTaken` when one is missing or both are the same."""
    names = plain(first, "the first officer"), plain(second, "the second officer")
    if names[0].casefold() == names[1].casefold():
        raise NotTaken("two different people have to stand for it")
    return names
