"""The page of faults: which test proves which fault of the catalogue, written from the names of the tests.

A test belongs to every id in the beginning of its name: `test_f12_f13_...` proves F12 and F13, `test_acceptance_09_and_
16_...` the points 9 and 16; so do ids of parameters (`id="f31"`). Run `python -m tests.support.fault_page` to write it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "faults.md"
FAULTS = (*(f"F{number:02d}" for number in range(1, 56)), "F71", "F72")
RULES = tuple(f"{number:02d}" for number in range(1, 17))
POINTS = {
    "1": "a declared state with a message",
    "2": "the ledger balances",
    "3": "one and the same release",
    "4": "the same end as without the fault",
    "5": "the audit chain",
    "6": "no value where it does not belong",
}

_LINE = re.compile(r"^\| (F?\d\d) \|")
_WRITTEN = re.compile(r"(?<=<!-- written: points -->\n).*?(?=<!-- end -->)", re.DOTALL)
_FAULT = re.compile(r"^[fF](\d\d)(?![0-9a-zA-Z])")


def proofs(tests: Path = ROOT / "tests") -> dict[str, dict[str, list[str]]]:
    """For each id the tests that bear it: file below `tests` → names, both sorted."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for name, labels in _functions(path):
            for of in ids_in(name) | {f"F{m[1]}" for label in labels if (m := _FAULT.match(label))}:
                found.setdefault(of, {}).setdefault(str(path.relative_to(tests)), []).append(name)
    return found


def ids_in(name: str) -> set[str]:
    """The ids a test's name begins with; after `acceptance` numbers are points of the list of rules."""
    ids, is_rule = set[str](), False
    for word in name.removeprefix("test_").split("_"):
        if word == "acceptance":
            is_rule = True
        elif re.fullmatch(r"f\d\d", word):
            ids.add(word.upper())
        elif is_rule and re.fullmatch(r"\d\d", word):
            ids.add(word)
        elif word not in ("and", "micare", "systmone", "carefirst", "liquidlogic", "controcc"):
            break
    return ids


def _functions(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each test of a file with the ids of its parameters."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, [label for mark in node.decorator_list for label in _labels(mark)]


def _labels(mark: ast.expr) -> Iterator[str]:
    for call in ast.walk(mark):
        for keyword in call.keywords if isinstance(call, ast.Call) else ():
            if keyword.arg in ("id", "ids"):
                texts = (n.value for n in ast.walk(keyword.value) if isinstance(n, ast.Constant))
                yield from (text for text in texts if isinstance(text, str))


def written(page: str, proved: Mapping[str, Mapping[str, list[str]]]) -> str:
    """The page with its column of tests, and the summary of points, as they should be."""
    lines = [_with_tests(line, proved) if _LINE.match(line) else line for line in page.splitlines()]
    return _WRITTEN.sub(lambda _: _summary(points(page)), "\n".join(lines) + "\n")


def points(page: str) -> dict[str, set[str]]:
    """For each fault of the page the points of survival that its tests assert, as the page says."""
    rows = [_cells(line) for line in page.splitlines() if line.startswith("| F")]
    return {cells[0]: set(cells[3].split()) for cells in rows}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _with_tests(line: str, proved: Mapping[str, Mapping[str, list[str]]]) -> str:
    cells = _cells(line)
    wanted = 5 if cells[0].startswith("F") else 3
    files = proved.get(cells[0], {})
    tests = [f"`{path}`" for path in sorted(files)]
    return "| " + " | ".join([*cells[: wanted - 1], ", ".join(tests)]) + " |"


def _summary(said: Mapping[str, set[str]]) -> str:
    text = f"| point | asserted for, of {len(said)} | not yet for |\n| --- | --- | --- |\n"
    for point, words in POINTS.items():
        without = [fault for fault in sorted(said) if point not in said[fault]]
        names = "–" if not without else "all" if len(without) == len(said) else " ".join(without)
        text += f"| {point} {words} | {len(said) - len(without)} | {names} |\n"
    return text


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), proofs()), encoding="utf-8")
