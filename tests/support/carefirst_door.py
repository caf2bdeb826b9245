"""CareFirst's door with a council of thirty clients in front of it, whose dumps a test may spoil field by field."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from domain.profile import Profile, SourceSettings
from tests.support.care_door import CANARY, CareDoor
from tests.support.carefirst_world import Desk, event, person, record, world

PEOPLE = 30
NIGHTS = tuple(datetime(2026, 3, 26 + night, 1, 25, tzinfo=UTC) for night in range(3))  # what each dump knows


class CareFirstDoor(CareDoor):
    """Requests and services of everybody; one request is deleted on night 1, one is told then and one on night 2."""

    def __init__(self, profile: Profile, home: Path) -> None:
        self.desk = Desk(home)
        super().__init__(profile, SourceSettings("carefirst", "carefirst", {"inbox": str(self.desk.arrived)}))
        numbers = range(1, PEOPLE + 1)
        events = [event(n, "request", of=n) for n in numbers] + [event(100 + n, "service", of=n) for n in numbers]
        events += [event(201, "request", of=1, deleted_night=1), event(202, "request", of=2, recorded_night=1)]
        events.append(event(203, "request", of=3, recorded_night=2))
        records = [record(n, fields={"forename": f"{CANARY}{n}"}) for n in numbers]
        self.desk.write(world([person(n) for n in numbers], records, events, nights=2))

    def night(self, number: int) -> CareFirstDoor:
        """A whole dump arrives."""
        self.desk.release(number)
        return self

    def lines(self, table: str, night: int = 0) -> list[bytes]:
        return self.desk.file(table, night).read_bytes().splitlines(keepends=True)

    def put(self, table: str, lines: list[bytes], night: int = 0) -> None:
        """Replace an arrived file as its sender would: with its new row count and hash in the control file."""
        self.desk.tamper(table, b"".join(lines), night, rows=len(lines) - 1)

    def change(self, table: str, column: bytes, value: bytes, *, row: int = 1, night: int = 0) -> bytes:
        """Put another value into one field of an arrived file; returns the one that stood there."""
        lines = self.lines(table, night)
        place = lines[0].rstrip(b"\n").split(b"|").index(column)
        cells = lines[row].rstrip(b"\n").split(b"|")
        before, cells[place] = cells[place], value
        lines[row] = b"|".join(cells) + b"\n"
        self.put(table, lines, night)
        return before

    def without(self, table: str, column: bytes, night: int = 0) -> None:
        """Take a column out of an arrived file."""
        rows = [line.rstrip(b"\n").split(b"|") for line in self.lines(table, night)]
        place = rows[0].index(column)
        self.put(table, [b"|".join(row[:place] + row[place + 1 :]) + b"\n" for row in rows], night)
