"""What another source's door knows of children, for a list that points at that source's people.

A source that sends everybody every night keeps no list of the children it left out: its latest file's account does, as
keyed digests in the ledger. That is enough to know a child again and not enough to name one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.ages import NOT_YET
from connectors.memory import Memory
from connectors.spec import table_specs
from governance.store import Store

if TYPE_CHECKING:
    import numpy as np

_DIGEST = 16  # bytes


@dataclass(slots=True)
class BorrowedMemory(Memory):
    """The memory of the source the list is about; children of its latest whole delivery are part of it."""

    def left_out(self) -> dict[str, np.datetime64]:
        """The children left out: digest -> eighteenth birthday, a day far ahead where only the account knows."""
        import numpy as np

        known = Memory.left_out(self)
        specs = table_specs(self.profile.source(self.source).connector).values()
        people = [spec.dataset for spec in specs if spec.subject.is_person_table]
        with Store(self.profile).connect("loader") as connection:
            sealed = connection.exec_driver_sql(
                """select distinct on (x.dataset) x.sealed_digests from ledger.exclusion x
                     join ledger.file f on f.file_id = x.file_id
                     join ledger.delivery d on d.delivery_id = f.delivery_id
                    where d.source = %(source)s and x.reason = 'child' and x.dataset = any(%(people)s)
                    order by x.dataset, d.as_known_at desc, x.file_id desc""",
                {"source": self.source, "people": people},
            ).scalars()
            told = [bytes(part) for part in sealed if part]
        ahead = np.datetime64(NOT_YET, "D")
        for part in told:
            for place in range(0, len(part), _DIGEST):
                known.setdefault(part[place : place + _DIGEST].hex(), ahead)
        return known
