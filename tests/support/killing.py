"""Runs stages in a process that kills itself with SIGKILL at its n-th act: a statement, a commit or a rename.

The stages know nothing of it: the counting hangs on the database driver's and the interpreter's own hooks.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from domain.profile import Profile

Step = tuple[str, str | None]
_HEAVY = [
    "great_expectations",
    "expectations.stage",
    "linkage.stage",
    "warehouse.stage",
    "statutory.stage",
    "connectors.stage",
    "connectors.conform",
    "pandas",
    "duckdb",
    "adbc_driver_postgresql.dbapi",
]


@dataclass(frozen=True)
class Ended:
    """How the process ended: acts counted (0 when it was killed), and whether it was killed."""

    acts: int
    was_killed: bool


def run_steps(profile: Profile, steps: Sequence[Step], *, kill_at: int | None = None) -> Ended:
    """Run `steps` in a process of their own, killed at act `kill_at` when one is given.

    Raises AssertionError when the process ends in any other way.
    """
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(_HEAVY)
    here, there = server.Pipe(duplex=False)
    child = server.Process(target=_child, args=(profile, list(steps), kill_at, there))
    child.start()
    there.close()
    try:
        answer = here.recv()
    except EOFError:
        answer = None
    child.join(timeout=120)
    if child.exitcode == -signal.SIGKILL:
        return Ended(0, was_killed=True)
    assert child.exitcode == 0 and isinstance(answer, int), (child.exitcode, answer)
    return Ended(answer, was_killed=False)


def _child(profile: Profile, steps: list[Step], kill_at: int | None, answer: object) -> None:
    from importlib import import_module

    from domain.run import RunContext

    counter = _Counter(kill_at)
    counter.listen()
    for module, source in steps:
        result = import_module(module).run(RunContext(profile, run_id="kill-test", actor="a test", source=source))
        if not result.is_done:
            answer.send(f"{result.stage} {result.scope} {result.state}: {result.findings}")  # type: ignore[attr-defined]
            sys.exit(1)
    answer.send(counter.acts)  # type: ignore[attr-defined]


class _Counter:
    def __init__(self, kill_at: int | None) -> None:
        self.acts = 0
        self.kill_at = kill_at

    def listen(self) -> None:
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        event.listen(Engine, "before_cursor_execute", lambda *_: self.act())
        event.listen(Engine, "commit", lambda *_: self.act())
        sys.addaudithook(lambda name, _: self.act() if name == "os.rename" else None)

    def act(self) -> None:
        self.acts += 1
        if self.acts == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
