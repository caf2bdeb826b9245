"""Remembers the SHA-256 of files that lie where they arrived, so that a folder of years is not read again every night.

A file is taken for the same while size, both times of change and inode are: no write leaves the time of the inode's own
change as it was. What changed a moment before it was read is not remembered, as a second write could bear the same
time. Nothing depends on what is kept here; without it files are read again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from connectors.landing import sha256_of

#: Younger changes are not trusted: file systems tell times apart by milliseconds, mounted ones by up to two seconds.
SETTLED_SECONDS: Final = 5.0


def remembered_hashes(files: Mapping[str, Path], page: Path | None) -> dict[str, str]:
    """The SHA-256 of each file, read only where `page` does not know it as it lies there.

    The page is brought up to date; without one every file is read.
    """
    known = _read(page)
    found: dict[str, str] = {}
    kept: dict[str, list[object]] = {}
    for name, path in files.items():
        before = _look(path)
        entry = known.get(name)
        is_known = entry is not None and entry[:-1] == before
        found[name] = str(entry[-1]) if entry is not None and is_known else sha256_of(path)
        if is_known or _is_settled(path, before):
            kept[name] = [*before, found[name]]
    if page is not None and kept != known:
        _write(page, kept)
    return found


def _look(path: Path) -> list[object]:
    told = path.stat()
    return [told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino]


def _is_settled(path: Path, before: list[object]) -> bool:
    """Whether the file stayed as it was while it was read, and had not just been changed."""
    told = path.stat()
    return _look(path) == before and time.time() - max(told.st_mtime, told.st_ctime) > SETTLED_SECONDS


def _read(page: Path | None) -> dict[str, list[object]]:
    try:
        raw = json.loads(page.read_text(encoding="ascii")) if page else {}
    except (OSError, ValueError):
        return {}
    entries = raw.items() if isinstance(raw, dict) else ()
    return {name: entry for name, entry in entries if isinstance(entry, list) and len(entry) == 5}


def _write(page: Path, kept: Mapping[str, list[object]]) -> None:
    page.parent.mkdir(parents=True, exist_ok=True)
    unfinished = page.with_name(f".{page.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(kept), encoding="ascii")
    unfinished.replace(page)
