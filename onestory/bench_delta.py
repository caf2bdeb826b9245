"""What a nightly delta of one percent costs beside the bulk, stage by stage, through the production stages.

The bulk is the benchmark's SystmOne delivery; the delta tells one row in a hundred of each table again, changed.
"""

from __future__ import annotations

import shutil
import time
from importlib import import_module
from pathlib import Path
from typing import Final

from domain.profile import Profile
from domain.run import RunContext
from onestory.bench_bulk import write_bulk, write_delta
from onestory.home import open_home

STAGES: Final = {"land": "connectors.stage", "check": "expectations.stage", "conform": "connectors.conform"}


def run_delta(folder: Path, patients: int) -> dict[str, tuple[float, float]]:
    """Seconds of each stage for the bulk and for the delta after it, in a home of its own that is made anew.

    Raises `RuntimeError` when a stage does not end well.
    """
    from governance import embedded

    if folder.exists():
        embedded.remove(folder.resolve())
        shutil.rmtree(folder)
    home = open_home(folder)
    costs: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for name, write in (("bulk", write_bulk), ("delta", write_delta)):
        write(folder, patients)
        for stage, module in STAGES.items():
            costs[stage].append(_seconds(home.profile(), stage, module, name))
    return {stage: (bulk, delta) for stage, (bulk, delta) in costs.items()}


def _seconds(profile: Profile, stage: str, module: str, name: str) -> float:
    run = import_module(module).run
    started = time.perf_counter()
    result = run(RunContext(profile, run_id=f"bench-{name}-{stage}", actor="benchmark", source="systmone"))
    if not result.is_done:
        raise RuntimeError(f"{stage} of the {name} ended {result.state.value}: {result.findings}")
    return time.perf_counter() - started
