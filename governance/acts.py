"""An act of a person, such as an answer about two records or an entry of a list, written down as a run of its own flow.

What cannot be taken changes nothing and ends `refused`; what was typed is never repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.run import Finding, RunContext, RunResult, RunState
from governance.ledger import recorded
from governance.records_named import NotTaken
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

Act = Callable[["Connection"], tuple[int, str]]  # gives the number of what was written, and what became of it


@dataclass(frozen=True, slots=True)
class Told:
    """How a kind of act is told of."""

    flow: str
    counted: str  # the name of the number in the run's counts
    kept: str  # code of the finding
    refused: str
    what: str  # such as `entry {} of the list`
    follows: str  # what happens next


def act_as_linker(context: RunContext, act: Act, told: Told) -> RunResult:
    """Do `act` as the role `linker`, in one transaction. Ends `done`, or `refused` when the act raises `NotTaken`."""

    def body(store: Store, _: object) -> RunResult:
        try:
            with store.connect("linker") as connection:
                number, outcome = act(connection)
        except NotTaken as problem:
            refused = Finding(told.refused, str(problem), "nothing was changed")
            return RunResult(told.flow, "", RunState.REFUSED, findings=(refused,))
        kept = Finding(told.kept, f"{told.what.format(number)} {outcome}", told.follows)
        return RunResult(told.flow, "", RunState.DONE, {told.counted: number}, (kept,))

    return recorded(told.flow, "linker", context, body)
