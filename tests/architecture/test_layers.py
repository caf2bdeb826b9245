"""The dependency rules of the house. Each failure says in words which promise was broken."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_packages_use_only_what_stands_below_them_and_fenced_libraries_stay_in_their_rooms() -> None:
    answer = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout[-3000:]


def test_the_lock_holds_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert lock.count("--hash=sha256:") > 1000


def test_no_file_names_a_package_index_or_a_machine() -> None:
    hosts = re.compile(r"pypi\.o" + r"rg|pythonhost" + r"ed|registry\.np" + r"mjs|deb\.debi" + r"an\.org|/ro" + r"ot/")
    guilty = [
        path.name
        for path in tracked()
        if path.suffix not in (".parquet", ".png", ".csv")
        and path.name != "requirements.lock"
        and hosts.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert guilty == []


def test_modules_stay_small_enough_to_be_read_at_one_sitting() -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for path in tracked("*.py", "*.sql")
        if (n := len(path.read_text(encoding="utf-8").splitlines())) > 350
    }
    assert long == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in tracked("*.py")
        if path.read_text(encoding="utf-8").strip() and not path.read_text(encoding="utf-8").lstrip().startswith('"""')
    ]
    assert silent == []


def test_only_invented_people_are_in_the_repository() -> None:
    """Ten-digit numbers that pass the NHS check digit must lie in the test range, or be the documented fillers."""
    from domain.identifiers import FILLER_NHS_NUMBERS, check_digit

    number = re.compile(r"(?<![0-9.])([4-7][0-9]{9})(?![0-9.])")
    guilty = {
        str(path.relative_to(ROOT))
        for path in tracked("*.py", "*.md", "*.yml", "*.sql", "*.csv")
        for found in number.findall(path.read_text(encoding="utf-8", errors="replace"))
        if found not in FILLER_NHS_NUMBERS and check_digit(found[:9]) == found[9]
    }
    assert guilty == set()
