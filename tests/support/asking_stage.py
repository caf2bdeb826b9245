"""A stage that does nothing but remember the login it was given, and one that fails telling all it was told."""

from __future__ import annotations

import logging

from domain.run import RunContext, RunResult, RunState

GIVEN: list[dict[str, str]] = []


def run(context: RunContext) -> RunResult:
    """Remember the login; the context is logged and put into the result, as a careless stage might."""
    GIVEN.append(dict(context.secrets))
    logging.getLogger("onestory").warning("working on %s", context)
    return RunResult("ask", context.source or "", RunState.DONE, facts={"context": repr(context)})
