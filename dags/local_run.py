"""The same order without a scheduler, for tests, repairs and benchmarks (imports no Airflow)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from domain.profile import Profile
from domain.run import RunContext, RunResult

PER_SOURCE = ("connectors.stage", "expectations.stage", "connectors.conform")
TOGETHER = ("linkage.stage", "warehouse.stage")
RETURN = "statutory.stage"


def steps(profile: Profile, *, with_return: bool) -> Iterator[tuple[str, str | None]]:
    """The front doors of one night in order: (module, source or None)."""
    for source in profile.sources:
        for module in PER_SOURCE:
            yield module, source.name
    for module in (*TOGETHER, *([RETURN] if with_return else [])):
        yield module, None


def run_night(
    profile: Profile,
    run_id: str,
    *,
    actor: str = "local run",
    with_return: bool = False,
    told: Callable[[RunResult], None] | None = None,
) -> list[RunResult]:
    """Run every stage of one night; stops after the first that is not done, and returns what there is."""
    results: list[RunResult] = []
    for module, source in steps(profile, with_return=with_return):
        context = RunContext(profile=profile, run_id=run_id, actor=actor, source=source)
        result: RunResult = import_module(module).run(context)
        results.append(result)
        if told:
            told(result)
        if not result.is_done:
            break
    return results
