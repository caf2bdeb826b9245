"""A stage that fails with everything it was told in its message."""

from __future__ import annotations

from domain.run import RunContext, RunResult


def run(context: RunContext) -> RunResult:
    """Raises always."""
    raise RuntimeError(f"cannot go on with {context!r}")
