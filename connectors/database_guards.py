"""Reasons not to believe what a reporting database shows: it lost rows, grew beyond measure, or is only half filled.

Tables that vanish and come back look like deletions and new work to everything downstream, so each of these waits for a
person (F02, F55, sources hand-book 3.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors import database_statements as statements
from connectors.base import DeliveryProblem
from connectors.database import DatabaseSession
from connectors.spec import TableSpec
from connectors.volumes import unusual
from domain.run import Finding, RunState

#: A small table may lose this many rows overnight, fewer than in `connectors.volumes`: marts keep small lists too.
SHRINK_ROWS: Final = 10

#: So many facts of a table may point to people who are not there, or this share of them if that is more (late people).
STRAY_SHARE: Final = 0.1
STRAY_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class Guards:
    """The checks of one snapshot. `is_accepted`: a person has looked at its volumes and accepted them."""

    specs: Mapping[str, TableSpec]
    noun: str
    snapshot: str
    is_accepted: bool

    def compare_volumes(self, rows: Mapping[str, int], before: Mapping[str, int], people: str = "") -> None:
        """Hold a snapshot whose volume is far from usual.

        Raises:
            DeliveryProblem: held, SHRANK (more rows are gone than a night explains, or a table is empty that never is)
                or GREW (far more rows than a night brings).
        """
        if self.is_accepted:
            return
        for table, spec in self.specs.items():
            past, now = before.get(spec.dataset, 0), rows[table]
            code = unusual(now, past, is_never_empty=table == people, shrink_rows=SHRINK_ROWS)
            if code:
                option = "shrink_accepted" if code == "SHRANK" else "volume_accepted"
                raise self._held(code, f"{table}: {now} rows after {past}", option)

    def prove_people_are_there(
        self, session: DatabaseSession, headings: Mapping[str, list[str]], people: str, key: str
    ) -> None:
        """Hold a snapshot whose facts point to more missing people than lateness explains: it is half filled.

        The refresh stamp does not help here: some loaders write it before they are done. Needs no earlier snapshot.

        Raises:
            DeliveryProblem: held, MART_BEING_REBUILT.
        """  # fmt: skip
        if not people or self.is_accepted or key not in headings[people]:
            return
        schema = session.access.schema
        for table, spec in self.specs.items():
            if table == people or key not in headings[table]:
                continue
            strays = int(session.value(statements.without_parent(schema, table, key, people, key)) or 0)
            rows = session.content(spec, headings[table]).rows if strays > STRAY_ROWS else 0
            if strays > max(STRAY_ROWS, STRAY_SHARE * rows):
                raise DeliveryProblem(
                    RunState.HELD,
                    Finding(
                        "MART_BEING_REBUILT",
                        f"{self.noun} looks half filled: {strays} of {rows} rows of {table} point to people not there",
                        f"run again after the rebuild window; if it is right, add {self.snapshot} to volume_accepted",
                    ),
                )

    def _held(self, code: str, what: str, option: str) -> DeliveryProblem:
        remedy = f"ask the supplier's operations; if it is right, add {self.snapshot} to the source's {option}"
        return DeliveryProblem(RunState.HELD, Finding(code, what, remedy))
