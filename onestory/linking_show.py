"""What an analyst sees of a trial: the roles of the columns before the work, the result after it. Tables that align."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from onestory.linking_run import Trial

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "^": "caret", "~": "tilde", None: ""}


def show_roles(trial: Trial, console: Console) -> None:
    """Every column with its role and one reason."""
    for records, guess in zip(trial.records, trial.guesses, strict=True):
        read = " ".join(part for part in (records.encoding, _DELIMITERS.get(records.delimiter, "")) if part)
        table = Table(
            box=SIMPLE_HEAD,
            title=f"{_plain(records.name)}: {records.rows:,} records ({read}); what its columns mean",
            title_justify="left",
        )
        table.add_column("column", no_wrap=True, max_width=30)
        table.add_column("role", no_wrap=True)
        table.add_column("because")
        for (column, role), (_, why) in zip(guess.roles.columns, guess.why, strict=True):
            table.add_row(_plain(column), role.value, _plain(why))
        console.print(table)
        if guess.roles.id_column is None:
            _line(
                console, f"No column names each record of {records.name}; they are numbered 1, 2, 3 ... in its order."
            )
    _line(console, f"Wrong? Edit {trial.out / 'roles.yml'} and add: --roles {trial.out / 'roles.yml'}")


def show_summary(summary: Mapping[str, Any], console: Console) -> None:
    """The result in one table, warnings as sentences, and where everything lies."""
    facts = summary["facts"]
    table = Table(box=SIMPLE_HEAD, title="What was found", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("meaning")
    for row in _figures(summary, facts):
        table.add_row(*row)
    console.print(table)
    for warning in facts.get("warnings", ()):
        _line(console, f"Note: {warning}")
    for name, place in summary["left"].items():
        _line(console, f"{name:<15} {place}")


def _figures(summary: Mapping[str, Any], facts: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    rows = []
    if "pairs" in facts:
        of = f"of {facts['possible_pairs']:,} possible" if "possible_pairs" in facts else ""
        rows.append(("pairs compared", f"{facts['pairs']:,}", of))
    lines = facts.get("lines")
    if lines:
        rows.append(("cut", f"{lines['cut']:+.1f}", f"bits; {_plain(lines['how'])}"))
    rows.append(("links", f"{summary['links']:,}", _way(summary["kind"], lines)))
    if "clusters" in facts:
        rows.append(("people with several records", f"{facts['clusters']:,}", ""))
    for place, file in enumerate(summary["files"]):
        linked = facts.get("linked_records", {}).get(("left", "right")[place])
        if linked is not None:
            share = f"{100 * linked / file['records']:.1f} % of {file['records']:,}"
            rows.append(("records with a link", f"{linked:,}", f"{share} in {_plain(file['file'])}"))
    for estimate in facts.get("estimates", ()):
        if estimate["value"] is not None:
            own = "reckon" in estimate["how"]
            meaning = "the model's own reckoning, which is no error rate" if own else "estimated; see the report"
            rows.append((_plain(estimate["what"]), f"{100 * estimate['value']:.2f} %", meaning))
    rows.append(("time", f"{summary['seconds']:,.1f}", "seconds"))
    return rows


def _way(kind: str, lines: Mapping[str, Any] | None) -> str:
    if kind == "dedupe" or lines is None:
        return "pairs of records of one person"
    return "at most one partner for each record" if lines["one_to_one"] else "a record may have several partners"


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _line(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
