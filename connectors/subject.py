"""Whom a row is about, and what in it is protected: the part of a table's specification that the door reads.

`subject: {person: <field>, date: <field or fields>, related: [<fields>], parent: <dataset>, key: <field>}`, on the
person table also `birth: <field>` and `child_flag: {field: <field>, value: <value>}`; `restricted_code` and
`restricted_name` name fields that may tell a legally restricted fact (governance CHI-1, CHI-3, SEN-2, SEN-3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Subject:
    """What the door has to know of a table; everything empty for a table that is about nobody."""

    person: str = ""  # whose row it is
    dates: tuple[str, ...] = ()  # when it happened: the first of these fields that is filled
    related: tuple[str, ...] = ()  # other people the row points at
    parent: str = ""  # the dataset of the row it belongs to …
    parent_key: str = ""  # … and the field that names it
    birth: str = ""  # on the person table only
    child_flag: tuple[str, str] | None = None  # what the supplier says where there is no birth date
    codes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field it speaks of."""
        flag = (self.child_flag[0],) if self.child_flag else ()
        one = (self.person, self.parent_key, self.birth, *flag)
        return tuple(f for f in (*one, *self.dates, *self.related, *self.codes, *self.names) if f)

    @property
    def is_person_table(self) -> bool:
        return bool(self.birth)


NOBODY = Subject()


def subject_from(raw: Mapping[str, Any], page: str) -> Subject:
    """The subject of a specification page. Raises `ValueError` when it is half said."""
    told = raw.get("subject") or {}
    flag = raw.get("child_flag")
    subject = Subject(
        person=str(told.get("person") or ""),
        dates=_several(told.get("date")),
        related=_several(told.get("related")),
        parent=str(told.get("parent") or ""),
        parent_key=str(told.get("key") or ""),
        birth=str(raw.get("birth") or ""),
        child_flag=(str(flag["field"]), str(flag["value"])) if flag else None,
        codes=_several(raw.get("restricted_code")),
        names=_several(raw.get("restricted_name")),
    )
    if bool(subject.parent) != bool(subject.parent_key) or (subject.birth and not subject.person):
        raise ValueError(f"{page}: subject needs parent with key, and birth needs subject.person")
    return subject


def _several(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    return tuple(str(v) for v in value) if isinstance(value, list) else (str(value),)
