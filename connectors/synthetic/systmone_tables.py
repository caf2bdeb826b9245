"""The layouts of the simulated SystmOne extract by release, and its dialect: dates, booleans, quoting, cp1252.

Written down a second time (`data/systmone_layouts.txt`), apart from the connector's specifications, so that a slip in
either shows when the extract is read. Release A lacks what came later, C moves columns and has one nobody announced.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, Literal

_MONTHS: Final = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


_TWO: Final = tuple(f"{number:02d}" for number in range(60))


def _layouts() -> dict[str, tuple[tuple[str, str], ...]]:
    """Table -> (column, type) in order, from the page beside this module."""
    text = (files("connectors") / "synthetic" / "data" / "systmone_layouts.txt").read_text(encoding="ascii")
    lines = "\n".join(page for page in text.splitlines() if not page.startswith("#"))
    layouts: dict[str, tuple[tuple[str, str], ...]] = {}
    for entry in re.split(r"\n(?=\S)", lines.strip()):
        table, _, columns = entry.partition(": ")
        parted = (column.partition(":") for column in columns.split())
        layouts[table] = tuple((name, kind) for name, _, kind in parted)
    return layouts


#: Table -> (column, type) in order.
LAYOUTS: Final = _layouts()
#: Table -> its columns in order, as the current release (B) has them.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {t: tuple(name for name, _ in columns) for t, columns in LAYOUTS.items()}
#: In every batch, in front of the tables that the manifest lists.
CONTROL_TABLES: Final = ("SRManifest", "SRMapping", "SRMappingGroup")
#: Lists that are sent whole every night.
REFERENCE_TABLES: Final = ("SROrganisation", "SRStaffMember")
#: Lists of which only changes are sent after the first night.
SLOW_LISTS: Final = (
    "SRConfiguredListOption",
    "SROrganisationBranch",
    "SRTrust",
    "SRStaffMemberProfile",
    "SRStaffMemberProfileRole",
    "SRCtv3",
    "SRQuestionnaire",
)
#: Tables whose columns are not public: sent, and specified nowhere.
UNSPECIFIED: Final = ("SRTask", "SRSmsConsent", "SRPatientContactProperty")
#: Known to leave the window blank in the manifest although they are deltas (sources 2.2).
WITHOUT_WINDOW: Final = ("SRReferralContactEvent",)

Release = Literal["A", "B", "C"]
_NOT_IN_A: Final = re.compile(r"RemovedData|SpineMatched|IDOrganisationRegisteredAt|SNOMED\w*")
#: What release C has that nobody was told of: table -> (column, what is in it).
NEW_IN_C: Final = {"SRVisit": ("DeliveryMode", "FACE")}
_MOVED_IN_C: Final = ("SRPatient", "SRVisit", "SRReferralIn")


@cache
def places(table: str, release: Release) -> tuple[int, ...] | None:
    """The places, in the current layout, of the columns that a release sends, in its order; None: all, as they are.

    A place beyond the last one stands for the new column of release C.
    """
    columns = COLUMNS[table]
    if release == "A" and any(_NOT_IN_A.fullmatch(name) for name in columns):
        return tuple(place for place, name in enumerate(columns) if not _NOT_IN_A.fullmatch(name))
    if release == "C" and table in _MOVED_IN_C:
        rest = tuple(reversed(range(2, len(columns))))
        return (0, 1, *((len(columns),) if table in NEW_IN_C else ()), *rest)
    return None


def heading(table: str, release: Release) -> tuple[str, ...]:
    """The header of a table in a release."""
    return arranged(COLUMNS[table], table, release, NEW_IN_C.get(table, ("", ""))[0])


def arranged(values: Sequence[str], table: str, release: Release, new: str | None = None) -> tuple[str, ...]:
    """One row of the current layout as a release has it."""
    chosen = places(table, release)
    if chosen is None:
        return tuple(values)
    extra = NEW_IN_C[table][1] if new is None and table in NEW_IN_C else new or ""
    return tuple(values[place] if place < len(values) else extra for place in chosen)


@lru_cache(maxsize=1 << 14)
def _day_of(year: int, month: int, number: int) -> str:
    return f"{number:02d} {_MONTHS[month]} {year:04d}"


def day(value: date) -> str:
    """`dd MMM yyyy`, English month names whatever the machine speaks."""
    return _day_of(value.year, value.month, value.day)


def moment(value: datetime | None) -> str:
    """`dd MMM yyyy HH:mm:ss`; empty for None."""
    if value is None:
        return ""
    return f"{_day_of(value.year, value.month, value.day)} {_TWO[value.hour]}:{_TWO[value.minute]}:{_TWO[value.second]}"


def day_of_text(value: str, clock: str = "00:00") -> str:
    """An ISO date as `dd MMM yyyy HH:mm`, the form of SRPatient; text that is no ISO date is written as typed."""
    try:
        return f"{day(date.fromisoformat(value))} {clock}"
    except ValueError:
        return value


def boolean(value: bool) -> str:
    """`TRUE` or `FALSE`."""
    return "TRUE" if value else "FALSE"


def line(values: Sequence[str]) -> str:
    """One record: every field quoted, embedded quotes doubled, CRLF at the end."""
    joined = '","'.join(values)
    if joined.count('"') != 2 * (len(values) - 1):
        joined = '","'.join(value.replace('"', '""') for value in values)
    return f'"{joined}"\r\n'


#: Characters that stand for bytes cp1252 does not know (D89): private use, so that no text has them by itself.
UNDEFINED_BYTES: Final = {0x81: "\ue081", 0x8D: "\ue08d", 0x90: "\ue090"}


def _lost(problem: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(problem, UnicodeEncodeError)
    lost = problem.object[problem.start : problem.end]
    return b"".join(bytes([ord(c) & 0xFF]) if "\ue080" <= c <= "\ue09f" else b"?" for c in lost), problem.end


codecs.register_error("onestory_cp1252", _lost)


def encoded(lines: Iterable[str]) -> bytes:
    """The bytes of some records; characters that cp1252 lacks are lost on the way out and show as `?` (sources 2.3)."""
    return "".join(lines).encode("cp1252", errors="onestory_cp1252")


def tombstone(table: str, row_id: int, visible_to: str) -> tuple[str, ...]:
    """A deleted row: key, view and flag survive; everything else, the patient too, is blank."""
    blanks = ("",) * (len(COLUMNS[table]) - 3)
    return (str(row_id), visible_to, *blanks, "1")
