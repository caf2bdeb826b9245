"""Files that lie unchanged are not read again; the least change of one, also under its old times, is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from connectors import file_memory
from connectors.file_memory import remembered_hashes
from connectors.landing import sha256_of


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read; every change counts as settled."""
    read: list[str] = []

    def counted(path: Path) -> str:
        read.append(path.name)
        return sha256_of(path)

    monkeypatch.setattr(file_memory, "sha256_of", counted)
    monkeypatch.setattr(file_memory, "SETTLED_SECONDS", -1.0)
    return read


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / f"{name}.TXT" for name in ("CLIENT", "CODES")}
    for name, path in found.items():
        path.write_text(f"{name}, and a trailer")
    return found


def truth(files: dict[str, Path]) -> dict[str, str]:
    return {name: sha256_of(path) for name, path in files.items()}


def test_what_lies_there_unchanged_is_read_once(files: dict[str, Path], tmp_path: Path, reads: list[str]) -> None:
    page = tmp_path / "known" / "20260326.json"
    for _ in range(3):
        assert remembered_hashes(files, page) == truth(files)
    assert reads == ["CLIENT.TXT", "CODES.TXT"]
    assert remembered_hashes(files, None) == truth(files)
    assert len(reads) == 4, "without a page everything is read"


def test_f14_other_content_of_the_same_size_and_under_the_old_time_is_seen(
    files: dict[str, Path], tmp_path: Path, reads: list[str]
) -> None:
    page, path = tmp_path / "known.json", files["CLIENT"]
    before, old = remembered_hashes(files, page), path.stat()
    path.write_text(path.read_text().replace("trailer", "traitor"))
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (old.st_size, old.st_mtime_ns)
    after = remembered_hashes(files, page)
    assert after == truth(files) and after["CLIENT"] != before["CLIENT"]
    assert reads == ["CLIENT.TXT", "CODES.TXT", "CLIENT.TXT"]


def test_a_file_put_in_place_of_another_is_seen(files: dict[str, Path], tmp_path: Path, reads: list[str]) -> None:
    page, path = tmp_path / "known.json", files["CLIENT"]
    remembered_hashes(files, page)
    other = tmp_path / "other"
    other.write_text(path.read_text().replace("trailer", "traitor"))
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)
    assert remembered_hashes(files, page) == truth(files)


def test_what_has_just_been_changed_is_not_trusted(files: dict[str, Path], tmp_path: Path) -> None:
    page = tmp_path / "known.json"
    assert remembered_hashes(files, page) == truth(files)
    assert not page.exists() or json.loads(page.read_text()) == {}


@pytest.mark.parametrize("damage", ["", "[1, 2]", '{"CLIENT": [1]}', "{", '{"CLIENT": null}'])
def test_a_damaged_page_costs_time_and_nothing_else(
    files: dict[str, Path], tmp_path: Path, reads: list[str], damage: str
) -> None:
    page = tmp_path / "known.json"
    page.write_text(damage)
    assert remembered_hashes(files, page) == truth(files)
    assert len(reads) == 2
    assert remembered_hashes(files, page) == truth(files) and len(reads) == 2
