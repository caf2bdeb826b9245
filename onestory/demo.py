"""The main job on a synthetic council: its nights carried through Airflow, one after the other, and what came of them.

Running it again finds everything done: every delivery is recognised, no release is added, the digest stays.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.synthetic.settings import SyntheticSettings
from onestory import site
from onestory.home import MADE, open_home
from onestory.nights import carry_nights

if TYPE_CHECKING:
    from rich.progress import Progress


def synth(folder: Path, settings: SyntheticSettings, progress: Progress | None = None) -> None:
    """Make the synthetic council and its supply of deliveries in `folder`, unless it holds the same one already.

    Raises `ValueError` when the folder holds another council: its database would not fit.
    """
    from connectors.synthetic.generate import generate

    wanted = {name: str(value) for name, value in asdict(settings).items()}
    marker = folder / MADE
    with suppress(FileNotFoundError):
        if json.loads(marker.read_text(encoding="utf-8")) == wanted:
            return
        raise ValueError(f"{folder} holds another synthetic council; choose another --home, or start with --fresh")
    task = progress.add_task("making the synthetic council", total=None) if progress else None
    generate(settings, folder)
    if progress and task is not None:
        progress.remove_task(task)
    marker.write_text(json.dumps(wanted), encoding="utf-8")


def run_demo(folder: Path, settings: SyntheticSettings, progress: Progress | None = None) -> dict[str, Any]:
    """Make the council, carry every night through Airflow, prepare the return; returns the summary it also wrote.

    Raises what a failed DAG run raises; everything published before stays.
    """
    started = time.monotonic()
    home = open_home(folder, settings)
    synth(home.folder, settings, progress)
    site.prepare(home)
    carry_nights(home, settings, progress)
    from dags.nightly import tasks_recorded
    from onestory.summary import summarise

    states = Counter(state for _, _, state in tasks_recorded())
    return summarise(home, seconds=time.monotonic() - started, airflow_tasks=dict(states))
