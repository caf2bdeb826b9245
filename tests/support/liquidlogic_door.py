"""Liquidlogic's door before a mart of forty people, whose nights a test may spoil by SQL behind the supplier's back."""

from __future__ import annotations

from pathlib import Path

from connectors.synthetic import liquidlogic
from domain.profile import Profile
from tests.support.care_door import CANARY, CareDoor, Told
from tests.support.liquidlogic_world import Desk, event, person, record, world

PEOPLE = 40
FIRST = 100001  # key of the first person


def write(home: Path) -> Path:
    """Four nights, Thursday to Sunday: requests and services of everybody, some told, changed or deleted later."""
    numbers = range(1, PEOPLE + 1)
    events = [event(n, "request", of=n) for n in numbers] + [event(100 + n, "service", of=n) for n in numbers]
    changed = event(201, "request", of=1, changed_night=1, changed_facts={"outcome": "NFA: Other"})
    changed.changed_status, changed.changed_end_at = "completed", changed.end_at
    events += [changed, event(202, "request", of=2, deleted_night=1), event(203, "request", of=3, recorded_night=1)]
    events += [event(204, "request", of=4, recorded_night=2)]
    records = [record(n, fields={"forename": f"{CANARY}{n}"}) for n in numbers]
    people = [person(n) for n in numbers]
    liquidlogic.write(world(people, records, events, nights=3), home / "supply")
    return home


class LiquidlogicDoor(CareDoor):
    """A door whose supply has been written once, for all tests of a file."""

    def __init__(self, profile: Profile, supply: Path) -> None:
        super().__init__(profile, profile.source("liquidlogic"))
        self.mart = Desk(self.profile, supply)

    def night(self, number: int) -> LiquidlogicDoor:
        """The mart is rebuilt, whole and right."""
        self.mart.rebuild(number)
        return self

    def spoil(self, *statements: str) -> LiquidlogicDoor:
        """Change the mart; `{}` stands for its schema."""
        for statement in statements:
            self.mart.tamper(statement.replace("{}", '"Adult_Social"'))
        return self

    def whole_nights(self, *numbers: int) -> Told:
        for number in numbers:
            told = self.night(number).whole_night()
        return told
