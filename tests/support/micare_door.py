"""MiCare's door with a council of a dozen clients in front of it, whose nights a test may spoil line by line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from domain.profile import Profile, SourceSettings
from tests.support.care_door import CANARY, CareDoor
from tests.support.carefirst_world import person
from tests.support.micare_world import Desk, event, key, record, world

PEOPLE = 12
NIGHTS = tuple(datetime(2026, 3, 26 + night, 2, 5, tzinfo=UTC) for night in range(2))  # what each batch knows


class MiCareDoor(CareDoor):
    """Requests and services of everybody; one request is deleted on night 1, one is told then."""

    def __init__(self, profile: Profile, home: Path) -> None:
        self.desk = Desk(home)
        super().__init__(profile, SourceSettings("micare", "micare", {"inbox": str(self.desk.arrived)}))
        numbers = range(1, PEOPLE + 1)
        events = [event(n, "request", of=n) for n in numbers] + [event(100 + n, "service", of=n) for n in numbers]
        events += [event(201, "request", of=1, deleted_night=1), event(202, "request", of=2, recorded_night=1)]
        events += [event(300 + n, "review", of=n) for n in (1, 2)]
        records = [record(n, fields={"forename": f"{CANARY}{n}"}) for n in numbers]
        self.desk.write(world([person(n) for n in numbers], records, events, nights=1))

    def night(self, number: int) -> MiCareDoor:
        """A whole night arrives; one that lies there already is replaced."""
        self.desk.release(number)
        return self

    def change_client(self, number: int, change: Callable[[str], str], night: int = 0) -> None:
        """Change the line of one client of an arrived night."""
        lines = self.desk.lines("CLIENT", night)
        place = next(n for n, line in enumerate(lines) if line.startswith(key(number)))
        self.desk.put("CLIENT", [*lines[:place], change(lines[place]), *lines[place + 1 :]], night)

    def spoil(self, table: str, change: Callable[[bytes], bytes], night: int = 0) -> None:
        """Change the bytes of an arrived file."""
        path = self.desk.file(table, night)
        path.write_bytes(change(path.read_bytes()))
