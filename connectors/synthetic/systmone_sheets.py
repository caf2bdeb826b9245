"""Rows of the simulated extract's many smaller tables, filled in by column name; what is not named stays blank.

A blank identifier is `-1`, a blank yes-or-no `FALSE`, as the supplier writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Final

from connectors.synthetic.systmone_tables import LAYOUTS, moment

#: Types of columns (sources hand-book 2.9) -> what stands in one that says nothing.
_BLANKS: Final = {"k": "-1", "m": "-1", "c": "-1", "b": "FALSE", "01": "0"}


class Sheet:
    """A table's columns, ready to be filled."""

    __slots__ = ("_blank", "_places", "table")

    def __init__(self, table: str) -> None:
        self.table = table
        self._places = {name: place for place, (name, _) in enumerate(LAYOUTS[table])}
        self._blank = [_BLANKS.get(kind, "") for _, kind in LAYOUTS[table]]

    def row(self, shared: Mapping[str, str], own: Mapping[str, str]) -> list[str]:
        """One row: of `shared` whatever the table has a column for, then `own`, of which each must have one."""
        values, places = self._blank.copy(), self._places
        for name, value in shared.items():
            if name in places:
                values[places[name]] = value
        for name, value in own.items():
            values[self._places[name]] = value
        return values


@cache
def sheet(table: str) -> Sheet:
    """The sheet of a table. Raises `KeyError` when there is no such table."""
    return Sheet(table)


def said(
    organisation: str, visible_to: str, patient: str, recorded: datetime, happened: datetime, profile: str, staff: str
) -> dict[str, str]:
    """What nearly every table says of an entry: whose, where, when and by whom."""
    typed, done = moment(recorded), moment(happened)
    return {
        "IDOrganisationVisibleTo": visible_to,
        "IDPatient": patient,
        "IDOrganisation": organisation,
        "IDOrganisationDoneAt": organisation,
        "IDOrganisationRegisteredAt": organisation,
        "DateEventRecorded": typed,
        "DateCreated": typed,
        "DateEvent": done,
        "IDProfileEnteredBy": profile,
        "IdProfileCreatedBy": profile,
        "IDProfileCreatedBy": profile,
        "IDDoneBy": staff,
        "IDReferralIn": "-1",
        "IDEvent": "-1",
    }
