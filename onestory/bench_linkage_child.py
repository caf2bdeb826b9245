"""One contender of the linkage benchmark in a process of its own: seconds, CPU of all its threads, its peak and spill.

`python -m onestory.bench_linkage_child CONTENDER FOLDER OPTIONS` prints one line of JSON. What a contender imports is
loaded before its clock starts; what it reads from disk and writes to disk is within.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

#: contender -> module:function; the function takes a Clock, the folder of the files, and options.
CONTENDERS: Final[dict[str, str]] = {
    "splink": "onestory.bench_peers:splink_plain",
    "splink_guarded": "onestory.bench_peers:splink_guarded",
    "splink_best": "onestory.bench_peers:splink_best",
    "splink_training": "onestory.bench_peers:train_tutorial",
    "splink_best_training": "onestory.bench_peers:train_best",
    "splink_night": "onestory.bench_peers:splink_night",
    "recordlinkage": "onestory.bench_peers:tight_rules",
    "sql": "onestory.bench_peer_sql:hand_written",
    "ours": "onestory.bench_ours:linked",
    "ours_best": "onestory.bench_ours:best",
    "ours_tight_rules": "onestory.bench_ours:tight_rules",
    "ours_training": "onestory.bench_ours:trained",
    "ours_night": "onestory.bench_night:night",
    "ours_keep": "onestory.bench_night:keep",
    "ours_trial": "onestory.bench_linkage_trial:trial",
    "splink_trained": "onestory.bench_linkage_trial:splink_trained",
    "world": "onestory.bench_linkage_data:make_world",
    "ours_set": "onestory.bench_linkage_sets:run_set",
}


class NotThere(Exception):
    """The engine a contender needs is not part of this version; says which."""


@dataclass(slots=True)
class Clock:
    """What a contender tells while it runs."""

    began: float = 0.0
    cpu: float = 0.0
    last: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        """Everything is imported; from here on it counts."""
        self.began = self.last = time.perf_counter()
        self.cpu = time.process_time()

    def step(self, name: str) -> None:
        """A step is done."""
        now = time.perf_counter()
        self.parts[name] = round(now - self.last, 3)
        self.last = now

    def tell(self, **facts: Any) -> None:
        """Counts beside the times: candidates, links."""
        self.facts.update(facts)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one contender; `missing` says why there was none."""

    seconds: float
    cpu_seconds: float
    peak_mib: int
    parts: Mapping[str, float]
    facts: Mapping[str, Any]
    missing: str = ""
    spill_mib: int = 0  # the most that stood in the folder's spill at once, looked at ten times a second


def run(contender: str, folder: Path, options: Mapping[str, Any] | None = None) -> Run:
    """Run the contender as a child process and wait for it. Raises CalledProcessError when it fails."""
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "onestory.bench_linkage_child", contender, str(folder),
         json.dumps(dict(options or {}))],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return Run(**json.loads(told.stdout.splitlines()[-1]))


def measure(contender: str, folder: Path, options: Mapping[str, Any]) -> Run:
    """Run the contender here and now."""
    module, _, name = CONTENDERS[contender].partition(":")
    clock = Clock()
    try:
        function: Callable[..., None] = getattr(import_module(module), name)
        with _spill_watched(folder / "spill") as spilled:
            clock.start()
            function(clock, folder, **options)
            seconds, cpu = time.perf_counter() - clock.began, time.process_time() - clock.cpu
    except (NotThere, ModuleNotFoundError) as missing:
        return Run(0.0, 0.0, 0, {}, {}, f"not there yet: {missing}")
    spill_mib = max(spilled) // 2**20
    return Run(round(seconds, 3), round(cpu, 3), peak_mib(), clock.parts, clock.facts, spill_mib=spill_mib)


@contextmanager
def _spill_watched(spill: Path) -> Iterator[list[int]]:
    """Temporary files go to `spill`; the list fills with the bytes found there as time goes by."""
    spill.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(spill)
    sizes, done = [0], Event()

    def watch() -> None:
        while not done.wait(0.1):
            sizes.append(sum(_size(path) for path in spill.rglob("*")))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield sizes
    finally:
        done.set()
        watcher.join()
        tempfile.tempdir = None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # gone since it was listed
        return 0


def peak_mib() -> int:
    """The most memory this process ever held, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


if __name__ == "__main__":
    result = measure(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
    print(json.dumps({name: getattr(result, name) for name in Run.__slots__}))
