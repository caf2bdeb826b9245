"""When a whole CareFirst dump goes wrong (D91): what arrives on the night of the fault, and what on the night after.

Two faults are in the files as they are written (an unknown column, a renamed one); the others are in how they arrive.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, cast

from connectors.synthetic.world import FileFaultKind, World

PLAN: Final = "faults.json"
#: The mandatory column that gets another heading, and the column nobody announced.
RENAMED: Final = ("PERSON", "NHS_NUMBER", "NHS_NO")
EXTRA: Final = ("PERSON", "PREFERRED_CONTACT_METHOD", ("LETTER", "TELEPHONE", "EMAIL", ""))
_EMPTIED: Final = ("CF_PERSON_", "CF_ACTIVITY_")
_CUT: Final = "CF_ACTIVITY_"
_OTHER_NAME: Final = timedelta(days=20_000)  # a second delivery bears the stamp of a day that never comes


def write_plan(world: World, folder: Path) -> None:
    """Keep the nights' faults beside the supply: letting a night arrive needs nothing else."""
    faults = {str(night): kind for night, kind in world.faults_of("carefirst").items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PLAN).write_text(json.dumps(faults, indent=1, sort_keys=True), encoding="utf-8")


def spoilt(
    columns: tuple[str, ...], table: str, lines: list[str], night: int, faults: Mapping[int, FileFaultKind]
) -> tuple[tuple[str, ...], list[str]]:
    """Heading and lines of a table on a night, with the column that is new or renamed then."""
    if table == RENAMED[0] and any(kind == "renamed_column" and night >= since for since, kind in faults.items()):
        columns = tuple(RENAMED[2] if name == RENAMED[1] else name for name in columns)
    if table == EXTRA[0] and faults.get(night) == "extra_column":
        columns = (*columns, EXTRA[1])
        lines = [f"{line}|{EXTRA[2][place % len(EXTRA[2])]}" for place, line in enumerate(lines)]
    return columns, lines


def arrive(supply: Path, night: int, target: Path) -> None:
    """Copy what arrives on that night: first what the last fault made good, then its own.

    Raises:
        FileNotFoundError: when that night was never written.
    """
    faults = {int(n): cast(FileFaultKind, kind) for n, kind in json.loads((supply / PLAN).read_text()).items()}
    before, now = faults.get(night - 1), faults.get(night)
    if before in ("missing", "empty", "truncated"):
        _copy(_files(supply, night - 1), target)
    if now not in ("missing", "out_of_order"):
        files = _files(supply, night)
        _copy(files, target)
        if now == "empty":
            for file in files:
                if file.name.startswith(_EMPTIED):
                    (target / file.name).write_bytes(b"")
        elif now == "truncated":
            for file in files:
                if file.name.startswith(_CUT):
                    content = file.read_bytes()
                    (target / file.name).write_bytes(content[: len(content) // 2].rstrip(b"\n")[:-3])
        elif now == "duplicated":
            _again_under_another_name(files, target)
    if before == "out_of_order":
        _copy(_files(supply, night - 1), target)


def _files(supply: Path, night: int) -> list[Path]:
    """The files of a night, the control file last."""
    return sorted((supply / f"night_{night}").iterdir(), key=lambda p: ("CONTROL" in p.name, p.name))


def _copy(files: list[Path], target: Path) -> None:
    for file in files:
        shutil.copyfile(file, target / file.name)


def _again_under_another_name(files: list[Path], target: Path) -> None:
    stamp = files[0].stem.rpartition("_")[2]
    other = f"{datetime.strptime(stamp, '%Y%m%d') + _OTHER_NAME:%Y%m%d}"
    for file in files:
        content = file.read_bytes()
        if "CONTROL" in file.name:
            content = content.replace(f"_{stamp}.csv".encode(), f"_{other}.csv".encode())
        (target / file.name.replace(stamp, other)).write_bytes(content)
