"""The main job on a synthetic council: its nights carried through Airflow, one after the other, and what came of them.

Running it again finds everything done: every delivery is recognised, no release is added, the digest stays.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.synthetic.setting import load_setting
from connectors.synthetic.settings import SyntheticSettings
from onestory import site
from onestory.home import MADE, Home, open_home

if TYPE_CHECKING:
    from rich.progress import Progress

_START = clock_time(5, 30)  # when the nightly DAGs begin


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


def deliver(home: Home, night: int, databases: Mapping[str, str] | None = None) -> None:
    """Let the suppliers do their night's work: files into the inboxes, databases rebuilt.

    `databases` are other addresses of the simulated databases than the home's own, by system.
    """
    from connectors.synthetic.doors import deliver_night

    addresses = {**home.supplier_databases, **(databases or {})}
    deliver_night(load_setting(home.setting), home.folder / "supply", night, home.inbox, addresses)


def run_demo(folder: Path, settings: SyntheticSettings, progress: Progress | None = None) -> dict[str, Any]:
    """Make the council, carry every night through Airflow, prepare the return; returns the summary it also wrote.

    Raises what a failed DAG run raises; everything published before stays.
    """
    started = time.monotonic()
    home = open_home(folder, settings)
    synth(home.folder, settings, progress)
    site.prepare(home)
    _carry_nights(home, settings, progress)
    from dags.nightly import tasks_recorded
    from onestory.summary import summarise

    states = Counter(state for _, _, state in tasks_recorded())
    return summarise(home, seconds=time.monotonic() - started, airflow_tasks=dict(states))


def _carry_nights(home: Home, settings: SyntheticSettings, progress: Progress | None) -> None:
    from dags import nightly

    nights, ingest = settings.nights + 1, nightly.ingest_of(home.profile())
    total = nights * (len(ingest) + len(nightly.TOGETHER) + 1) + 1
    bar = progress.add_task("carrying the nights", total=total) if progress else None

    def tell(night: int, what: str, done: int) -> None:
        if progress and bar is not None:
            progress.update(bar, description=f"night {night + 1} of {nights}: {what}", completed=done)

    done = 0
    for night in range(nights):
        tell(night, "suppliers deliver", done)
        deliver(home, night)
        done += 1
        moment = datetime.combine(settings.first_night + timedelta(days=night), _START, UTC)
        for dag_id in (*ingest, *nightly.TOGETHER):
            tell(night, dag_id, done)
            nightly.carry(dag_id, moment)
            done += 1
        if night == nights - 1:
            tell(night, nightly.RETURN, done)
            nightly.carry(nightly.RETURN, moment)
            tell(night, "done", total)
