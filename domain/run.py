"""What every stage takes and gives back: a `RunContext` in, a `RunResult` out.

A data problem is not an exception: it is a `Finding` with a code, a plain message and a remedy, and it decides the
state the run ends in (governance section 6). No finding may hold a value of a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.profile import Profile


class RunState(StrEnum):
    """How a run ended; anything but `done` gives a non-zero exit."""

    DONE = "done"
    HELD = "held"  # waits for something: a missing file, a person's decision
    REFUSED = "refused"  # the input is wrong; trying again cannot help
    QUARANTINED = "quarantined"  # done, but too many rows were set aside for the result to be used as it is
    STOPPED = "stopped"  # we could not go on; trying again may help


class Verdict(StrEnum):
    """What the check stage says of one table of one delivery."""

    ACCEPTED = "accepted"
    WARNED = "warned"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know: what and where, and what to do about it. Never a value of a person."""

    code: str
    message: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message, "remedy": self.remedy}


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a stage is asked to do: for which council, under which run, on whose behalf."""

    profile: Profile
    run_id: str
    actor: str
    source: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # the source's login; never shown or stored


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a stage ended. `counts` are numbers by name; `as_known_at` is the data's own moment, not the clock's."""

    stage: str
    scope: str
    state: RunState
    counts: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    as_known_at: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)  # names of what was made: file paths, release number

    @property
    def is_done(self) -> bool:
        return self.state is RunState.DONE


class StageFailure(Exception):
    """We cannot go on. Names dataset, run and step, says what to do and whether trying again can help."""

    def __init__(self, message: str, *, remedy: str, retry_helps: bool) -> None:
        self.remedy = remedy
        self.retry_helps = retry_helps
        again = "Trying again may help." if retry_helps else "Trying again will not help."
        super().__init__(f"{message} {remedy} {again}")
