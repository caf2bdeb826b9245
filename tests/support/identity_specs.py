"""Numbered identity cases, read from the pages of `tests/specs/identity`: records before, one act, people after.

A page is plain Markdown that anybody can review. A case begins with `## Case 7. Title`, a night with `**Night 2.**`;
tables whose first heading is `record`, `person` or `pair` are read, and so is every line that begins with a dash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "specs" / "identity"
_CASE = re.compile(r"^## Case (\d+)\. (.+)$")
_NIGHT = re.compile(r"^\*\*Night (\d+)\.\*\*")
_NOT_YET = re.compile(r"^\*Not kept yet: (.+)\*$")
TABLES = ("record", "person", "pair")

Row = dict[str, str]


@dataclass(slots=True)
class CaseNight:
    """One night of a case: what arrives and is done before the link run, and what is believed after it."""

    number: int
    records: list[Row] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    people: list[Row] = field(default_factory=list)
    pairs: list[Row] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Case:
    """One promise about who is who. `not_yet` says why it is not kept yet; such a case must fail until it is."""

    number: int
    title: str
    not_yet: str = ""
    nights: list[CaseNight] = field(default_factory=list)


class SpecProblem(ValueError):
    """A page of cases that cannot be read; says where."""


def pages(folder: Path = FOLDER) -> list[Path]:
    """The pages, in the order of the manual."""
    return sorted(folder.glob("*.md"))


def cases(folder: Path = FOLDER) -> list[Case]:
    """Every case of every page. Raises `SpecProblem` for numbers out of order and for what cannot be read."""
    found = [case for page in pages(folder) for case in cases_of(page)]
    numbers = [case.number for case in found]
    if numbers != list(range(1, len(numbers) + 1)):
        raise SpecProblem(f"cases are numbered one by one from 1; found {numbers}")
    return found


def cases_of(page: Path) -> Iterator[Case]:
    """The cases of one page, whatever their numbers. Raises `SpecProblem` for what cannot be read."""
    case: Case | None = None
    lines = page.read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(lines):
        where = f"{page.name}, line {place + 1}"
        if found := _CASE.match(line):
            if case:
                yield _checked(case)
            case = Case(int(found[1]), found[2])
        elif case is None:
            continue
        elif found := _NOT_YET.match(line):
            case.not_yet = found[1]
        elif found := _NIGHT.match(line):
            case.nights.append(CaseNight(int(found[1])))
        elif line.startswith("- "):
            night = _night(case, where)
            # What is done comes before the people it leads to, what else is true afterwards behind them.
            (night.facts if night.people else night.acts).append(_whole(lines, place))
        elif line.startswith("|") and not lines[place - 1].startswith("|"):
            _read_table(_night(case, where), lines, place, where)
    if case:
        yield _checked(case)


def _night(case: Case, where: str) -> CaseNight:
    if not case.nights:
        raise SpecProblem(f"{where}: begin a night first")
    return case.nights[-1]


def _whole(lines: list[str], place: int) -> str:
    """A point of a list with the lines it goes on."""
    text = lines[place][2:].strip()
    for line in lines[place + 1 :]:
        if not line.startswith("  "):
            break
        text += " " + line.strip()
    return text.rstrip(".;")


def _read_table(night: CaseNight, lines: list[str], place: int, where: str) -> None:
    heads = _cells(lines[place])
    if heads[0] not in TABLES:
        raise SpecProblem(f"{where}: the first heading of a table is one of {', '.join(TABLES)}")
    rows = []
    for line in lines[place + 2 :]:
        if not line.startswith("|"):
            break
        cells = _cells(line)
        if len(cells) != len(heads):
            raise SpecProblem(f"{where}: a line of the table has {len(cells)} cells and not {len(heads)}")
        rows.append(dict(zip(heads, cells, strict=True)))
    {"record": night.records, "person": night.people, "pair": night.pairs}[heads[0]].extend(rows)


def _cells(line: str) -> list[str]:
    return ["" if cell.strip() == "–" else cell.strip() for cell in line.strip().strip("|").split("|")]


def _checked(case: Case) -> Case:
    numbers = [night.number for night in case.nights]
    if not numbers or numbers != sorted(set(numbers)) or not all(night.people for night in case.nights):
        raise SpecProblem(f"case {case.number}: every night has a number of its own, in order, and people after it")
    return case
