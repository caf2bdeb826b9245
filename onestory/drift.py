"""Commands for a layout that changed: what is asked, saying what a heading stands for, what was kept aside."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from connectors.likeness import Suggestion
    from domain.profile import Profile

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Changed layouts: what is asked, what a heading stands for, what was kept aside.",
)
ProfileOption = Annotated[
    Path, typer.Option("--profile", envvar="ONESTORY_PROFILE", help="The council's profile (YAML).")
]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the decision.")]
By = Annotated[str, typer.Option(help="Who decides; the signed-in user unless given.")]


def suggestions(profile: Profile, source: str | None = None) -> list[Suggestion]:
    """What people are asked about headings now."""
    from connectors.questions import open_questions
    from governance.store import Store

    with Store(profile).connect("loader") as connection:
        return open_questions(connection, source)


def decide(
    profile: Profile, source: str, table: str, heading: str, column: str, *, by: str, reason: str, read_as: str = ""
) -> int:
    """Say that `heading` of the supplier's `table` stands for `column`; the held delivery loads on the next run.

    Writes the source's mapping page and one line of the ledger with its actor. Returns how many deliveries that were
    refused for want of the column will be tried again.

    Raises:
        ValueError: no such table or column in the specification, no such date style, or nobody or no reason named.
    """
    from connectors.mapping import Decision
    from connectors.mapping import decide as write
    from connectors.questions import answer
    from domain.periods import now
    from domain.run import Finding, RunContext, RunResult, RunState
    from governance.ledger import recorded

    dataset = _dataset_of(profile, source, table, column, by, reason, read_as)
    decision = Decision(table, heading, column, by.strip(), now().date(), reason.strip(), read_as)
    told = Finding("DECIDED", f"{table}: {heading} stands for {column}, by {decision.decided_by}: {decision.reason}")

    def body(store: object, _: object) -> RunResult:
        write(profile, source, decision)
        with store.connect("loader") as connection:  # type: ignore[attr-defined]
            again = answer(connection, source, table, dataset, heading, column, decision.decided_by)
        return RunResult("drift", source, RunState.DONE, {"decisions": 1, "tried_again": again}, (told,))

    context = RunContext(profile, run_id=f"drift-{now():%Y%m%dT%H%M%S}", actor=decision.decided_by, source=source)
    result = recorded("drift", "loader", context, body)
    if not result.is_done:
        raise ValueError(f"{source}: another decision is just being written; try again")
    return result.counts["tried_again"]


def review(profile: Profile, source: str, dataset: str, heading: str, *, by: str, reason: str) -> None:
    """Say that the impact of an unknown column has been assessed; it is kept aside as before, and not told nightly.

    Raises:
        ValueError: nobody or no reason is named, or no such column was ever kept aside.
    """
    from connectors.side import review_column
    from domain.periods import now
    from domain.run import Finding, RunContext, RunResult, RunState
    from governance.ledger import recorded

    actor, why = by.strip(), reason.strip()
    if not actor or not why:
        raise ValueError("a review needs a person and its outcome")

    def body(store: object, _: object) -> RunResult:
        with store.connect("loader") as connection:  # type: ignore[attr-defined]
            found = review_column(connection, source, dataset, heading, by=actor, review=why)
        told = Finding("REVIEWED", f"{dataset}: {heading} was reviewed by {actor}: {why}")
        return RunResult("drift", source, RunState.DONE, {"reviewed": int(found)}, (told,) if found else ())

    context = RunContext(profile, run_id=f"drift-{now():%Y%m%dT%H%M%S}", actor=actor, source=source)
    result = recorded("drift", "loader", context, body)
    if not result.counts.get("reviewed"):
        raise ValueError(
            f"{source} has no column {heading} of {dataset} that was kept aside"
            if result.is_done
            else f"{source}: another decision is just being written; try again"
        )


def accept_suggestions(profile: Profile, source: str, *, by: str, reason: str) -> int:
    """Accept everything that is asked about one source; returns how many decisions were made.

    For rehearsals on synthetic councils, and for a person who has looked at every one of them.
    """
    asked = suggestions(profile, source)
    for s in asked:
        decide(profile, source, s.table, s.heading, s.column, by=by, reason=reason, read_as=s.read_as)
    return len(asked)


@app.command("list")
def show(profile: ProfileOption) -> None:
    """Show the decisions in force, and the columns that were kept aside because nobody specified them."""
    from connectors.mapping import decisions_of

    loaded = _load(profile)
    decided = _table("source", "table", "heading", "stands for", "decided by", "on", "reason")
    for settings in loaded.sources:
        for d in decisions_of(loaded, settings.name).entries:
            meaning = d.column if d.heading != d.column else f"itself, new shape {d.read_as or 'taken as it comes'}"
            decided.add_row(settings.name, d.table, d.heading, meaning, d.decided_by, str(d.decided_on), d.reason)
    aside = _table(
        "source",
        "dataset",
        "column kept aside",
        "rows filled",
        "in deliveries",
        "first in",
        "since",
        "last in",
        "status",
    )
    for line in _aside(loaded):
        aside.add_row(*(str(cell) for cell in line))
    console = Console(width=180)
    console.print("Decisions", decided, "Kept aside", aside)


@app.command()
def suggest(profile: ProfileOption) -> None:
    """Show what held deliveries ask, with the command that accepts each."""
    asked = suggestions(_load(profile))
    if not asked:
        typer.echo("nothing is asked")
    for s in asked:
        style = f" --read-as '{s.read_as}'" if s.read_as else ""
        typer.echo(f"{s.source} {s.table}: {s.heading} for {s.column}? ({s.evidence})")
        typer.echo(f"  onestory drift accept {s.source} {s.table} '{s.heading}' {s.column}{style} --reason '…'")


@app.command()
def accept(
    source: Annotated[str, typer.Argument(help="The source's name in the profile.")],
    table: Annotated[str, typer.Argument(help="The supplier's table.")],
    heading: Annotated[str, typer.Argument(help="The heading that came.")],
    column: Annotated[str, typer.Argument(help="The specified column it stands for.")],
    profile: ProfileOption,
    reason: Reason,
    by: By = "",
    read_as: Annotated[str, typer.Option(help="For a retyped date column: the style it has now.")] = "",
) -> None:
    """Say that a heading stands for a specified column. The held delivery loads on the next run."""
    try:
        actor = by or getpass.getuser()
        decide(_load(profile), source, table, heading, column, by=actor, reason=reason, read_as=read_as)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    typer.echo(f"{table}: {heading} stands for {column} from the next run on")


@app.command()
def reviewed(
    source: Annotated[str, typer.Argument(help="The source's name in the profile.")],
    dataset: Annotated[str, typer.Argument(help="The dataset, as `onestory drift list` shows it.")],
    heading: Annotated[str, typer.Argument(help="The column kept aside.")],
    profile: ProfileOption,
    reason: Annotated[str, typer.Option(help="The outcome of the impact assessment; it is kept.")],
    by: By = "",
) -> None:
    """Say that the impact of an unknown column was assessed. It stays aside, and is not told every night any more."""
    try:
        review(_load(profile), source, dataset, heading, by=by or getpass.getuser(), reason=reason)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    typer.echo(f"{dataset}: {heading} is reviewed")


def _dataset_of(profile: Profile, source: str, table: str, column: str, by: str, reason: str, read_as: str) -> str:
    """The dataset the table feeds; raises `ValueError` when the decision cannot be one."""
    from connectors.shapes import STYLES
    from connectors.spec import table_specs

    specs = table_specs(profile.source(source).connector)
    if table not in specs:
        raise ValueError(f"{source} has no table {table}; it has {', '.join(sorted(specs))}")
    names = {c.name for layout in specs[table].history for c in layout.columns}
    if column not in names:
        raise ValueError(f"{table} has no column {column}; it has {', '.join(sorted(names))}")
    if read_as and read_as not in STYLES:
        raise ValueError(f"no date style {read_as!r}; there are {', '.join(STYLES)}")
    if not by.strip() or not reason.strip():
        raise ValueError("a decision needs a person and a reason")
    return specs[table].dataset


def _aside(profile: Profile) -> list[tuple[object, ...]]:
    from governance.store import Store

    with Store(profile).connect("loader") as connection:
        rows = connection.exec_driver_sql(
            """select c.source, c.dataset, c.column_name, c.rows_filled, c.times_seen, f.name, c.first_seen_at::date,
                 l.name, case when c.status = 'reviewed'
                   then format('reviewed by %%s on %%s: %%s', c.reviewed_by, c.reviewed_at::date, c.review)
                   else c.status end
                 from ledger.unknown_column c join ledger.delivery f on f.delivery_id = c.first_delivery_id
                 join ledger.delivery l on l.delivery_id = c.last_delivery_id order by 1, 2, 3"""
        )
        return [tuple(row) for row in rows]


def _load(profile: Path) -> Profile:
    from domain.profile import load_profile

    return load_profile(profile)


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
