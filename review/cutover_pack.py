"""The reconciliation pack of a load as one page that needs nothing else, and its lists as files beside it.

Draws what `warehouse.cutover.reconcile` found: keys and counts, never a name. The list of restricted people is in a
file of its own that only its owner may read, and not on the page (governance PRO-1).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from warehouse.cutover.patterns import MEANING, Pattern
from warehouse.cutover.reconcile import Item, Reconciliation, Row

_SHOWN: Final = 200  # lines of a list on the page; the file has all
_WIDTH: Final = 320  # of a bar
_RESTRICTED: Final = "(restricted)"
_HEADINGS: Final = ("group", "old_key", "new_key", "verdict", "why", "old_amount", "new_amount")


def write(found: Reconciliation, folder: Path, *, as_known_at: str, source_of_old: str, source_of_new: str) -> Path:
    """Write `pack.html`, `checks.csv`, `patterns.csv` and one file for each list into `folder`; returns the page.

    Files of an earlier pack in the folder are replaced. The list of an incident is readable by its owner only.
    """
    found = _without_restricted_keys(found)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.csv"):
        old.unlink()
    _table(folder / "checks.csv", _CHECK_HEADINGS, (_check_line(row) for row in found.rows))
    _table(
        folder / "patterns.csv", ("old_key", "new_key", "pattern", "why"), (_pattern_line(p) for p in found.patterns)
    )
    for row in found.rows:
        if row.listed:
            lines = (_item_line(item) for item in row.listed)
            _table(folder / f"list_{row.check.page}.csv", _HEADINGS, lines, private=row.check.incident)
    environment = Environment(
        loader=PackageLoader("review"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": _number, "money": _money, "bar": _bar}
    page = environment.get_template("cutover_pack.html").render(
        found=found, meaning=MEANING, shown=_SHOWN, as_known_at=as_known_at, old=source_of_old, new=source_of_new,
        failed=[row for row in found.rows if row.state == "fail"],
        incidents=[row for row in found.rows if row.state == "fail" and row.check.incident],
        largest=max(found.pattern_counts.values(), default=1), width=_WIDTH,
    )  # fmt: skip
    path = folder / "pack.html"
    path.write_text(page, encoding="utf-8")
    return path


def _without_restricted_keys(found: Reconciliation) -> Reconciliation:
    """The same findings with the keys of restricted people replaced, except in the list that is theirs alone."""

    def shown(key: str) -> str:
        return _RESTRICTED if key.split(" ")[0] in found.restricted else key

    def masked(row: Row) -> Row:
        if row.check.incident:
            return row
        return replace(
            row, items=tuple(replace(i, old_key=shown(i.old_key), new_key=shown(i.new_key)) for i in row.items)
        )

    patterns = tuple(
        replace(p, old_key=shown(p.old_key), new_key=shown(p.new_key), why=_without(p.why, found.restricted))
        for p in found.patterns
    )
    return replace(found, rows=tuple(map(masked, found.rows)), patterns=patterns)


def _without(text: str, keys: frozenset[str]) -> str:
    return " ".join(_RESTRICTED if word.strip(",.") in keys else word for word in text.split(" "))


_CHECK_HEADINGS: Final = ("check", "title", "rule", "state", "old", "new", "explained", "unexplained")


def _check_line(row: Row) -> tuple[object, ...]:
    check = row.check
    return (check.page, check.title, check.rule_in_words, row.state, row.old, row.new, row.explained, row.unexplained)


def _pattern_line(pattern: Pattern) -> tuple[object, ...]:
    return (pattern.old_key, pattern.new_key, pattern.pattern, pattern.why)


def _item_line(item: Item) -> tuple[object, ...]:
    return (item.group, item.old_key, item.new_key, item.verdict, item.why, item.old_amount, item.new_amount)


def _table(path: Path, headings: Sequence[str], lines: Iterable[Sequence[object]], *, private: bool = False) -> None:
    path.touch(mode=0o600 if private else 0o644)
    path.chmod(0o600 if private else 0o644)
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(headings)
        writer.writerows([_harmless(value) for value in line] for line in lines)


def _harmless(value: object) -> object:
    """A value that a spreadsheet would take for a formula is told as text (F45); people open these files in one."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t" and value else value


def _number(count: float) -> str:
    return f"{count:,.0f}"


def _money(amount: float | None) -> str:
    return "" if amount is None else f"{amount:,.2f}"


def _bar(count: int, largest: int) -> float:
    """The width of a bar; what there is can always be seen."""
    return round(max(_WIDTH * count / max(largest, 1), 2.0), 1)
