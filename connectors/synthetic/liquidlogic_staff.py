"""Workers and departments of the simulated mart: workers with several rows, departments that change their name.

Facts copy the names of their day and are never corrected (sources hand-book 3.3: descriptions as keys).
"""

from __future__ import annotations

from typing import Final

from connectors.synthetic.casework import CHILDREN_TEAM, TEAMS, WORKERS
from connectors.synthetic.liquidlogic_rows import Mart

#: The night on which a department gets another name.
RENAME_NIGHT: Final = 5
FIRST_DEPARTMENT: Final = 700
FIRST_WORKER: Final = 3_000
_SECOND_POST: Final = 500
_NOBODY: Final = -1
_TITLES: Final = ("Social Worker", "Occupational Therapist", "Social Care Assessor", "Team Manager", "Review Officer")


class Staff:
    """Finds the rows a fact points to and writes them."""

    def __init__(self, mart: Mart) -> None:
        self._mart = mart
        self._departments = {code: FIRST_DEPARTMENT + place for place, (code, _) in enumerate((*TEAMS, CHILDREN_TEAM))}
        self._names = dict((*TEAMS, CHILDREN_TEAM))

    def department(self, team: str) -> int:
        """The department's row; a team nobody listed gets one of its own."""
        return self._departments.setdefault(team, FIRST_DEPARTMENT + len(self._departments))

    def department_name(self, team: str, night: int) -> str:
        """What the team is called on a night."""
        name = self._names.get(team, team)
        return f"{name} Team" if team == TEAMS[1][0] and night >= RENAME_NIGHT else name

    def worker(self, code: str, key: str) -> int:
        """A worker's row; every tenth worker has two, one for each post held."""
        if not code.isdecimal():
            return _NOBODY
        number = int(code)
        second = number % 10 == 0 and self._mart.draw("second post", key) < 0.5
        return FIRST_WORKER + number + (_SECOND_POST if second else 0)

    def write(self) -> None:
        """Write the rows of `DIM_DEPARTMENT` and `DIM_WORKER`."""
        mart, last = self._mart, self._mart.last_night + 1
        for code, number in self._departments.items():
            nights = [0, RENAME_NIGHT] if code == TEAMS[1][0] and last > RENAME_NIGHT else [0]
            for start, stop in zip(nights, [*nights[1:], last], strict=True):
                row = {
                    "DIM_DEPARTMENT_ID": number,
                    "DEPT_ID": code,
                    "NAME": self.department_name(code, start),
                    "DEPT_TYPE_DESCRIPTION": "Adult social care team",
                    "MODIF_DTTM": mart.touched_at(start, f"department:{number}"),
                }
                mart.tables["DIM_DEPARTMENT"].add(row, start, stop)
        for number in range(1, WORKERS + 1):
            for post in range(2 if number % 10 == 0 else 1):
                row = {
                    "DIM_WORKER_ID": FIRST_WORKER + number + post * _SECOND_POST,
                    "WORKER_ID_CODE": str(number),
                    "STAFF_ID": f"E{number:05d}",
                    "WORKER_NAME": f"Worker {number}",
                    "JOB_TITLE": _TITLES[(number + post) % len(_TITLES)],
                    "DEPARTMENT_NAME": TEAMS[number % len(TEAMS)][1],
                    "MODIF_DTTM": mart.touched_at(0, f"worker:{number}"),
                }
                mart.tables["DIM_WORKER"].add(row, 0, last)
