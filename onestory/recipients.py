"""Commands for information governance: notices about who is who, and who was given what about a person."""

from __future__ import annotations

import csv
import getpass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from domain.run import RunContext, RunResult
    from governance.recipients import PreparedFrom

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Authorised notices about who is who: a number replaced, records merged, a shared number taken apart.",
)
ProfileOption = Annotated[
    Path, typer.Option("--profile", envvar="ONESTORY_PROFILE", help="The council's profile (YAML).")
]
REFUSED = 4  # exit code: nothing was done
_PERSON_COLUMNS = ("Unique Identifier", "Linked Person_ID")


def recipients(
    person: Annotated[str, typer.Argument(help="The person id, as releases and returns show it.")],
    profile: ProfileOption,
) -> None:
    """Show every release and return that held a person's records, also under the id of somebody else by mistake.

    For after a split, a merge or a breach. Release numbers, pseudonymous ids and counts only.
    """
    from domain.profile import load_profile
    from governance.recipients import releases_showing, returns_from
    from governance.store import Store

    with Store(load_profile(profile)).connect("auditor") as connection:
        shown = releases_showing(connection, person)
        returns = returns_from(connection, {line.release for line in shown})
    if not shown:
        typer.echo("no release has shown that person")
        return
    table = _table("release", "published", "shown as", "records", "of them somebody else's now")
    for line in shown:
        when = f"{line.published_at:%Y-%m-%d %H:%M}"
        table.add_row(str(line.release), when, line.shown_as, str(line.records), str(line.elsewhere_now))
    people = {person, *(line.shown_as for line in shown)}
    given = _table("return", "release", "period", "status", "rows of the person", "file")
    for one in returns:
        rows = rows_in(one, people)
        period = f"{one.period_start} to {one.period_end}"
        told = "the file is gone or altered: cannot tell" if rows is None else str(rows)
        given.add_row(one.collection, str(one.release), period, one.status, told, one.sha256[:12])
    Console(width=140).print(table, given)


def rows_in(prepared: PreparedFrom, people: set[str]) -> int | None:
    """How many rows of a prepared return name one of the people; None when its file is not there as it was made."""
    from connectors.landing import sha256_of

    if prepared.path is None or not prepared.path.is_file() or sha256_of(prepared.path) != prepared.sha256:
        return None
    with prepared.path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle)
        header = next(reader, [])
        places = [n for n, heading in enumerate(header) if heading.strip().endswith(_PERSON_COLUMNS)]
        return sum(any(row[n] in people for n in places if n < len(row)) for row in reader)


@app.command()
def add(
    kind: Annotated[str, typer.Argument(help="number_replaced, merged or split.")],
    left: Annotated[int, typer.Argument(help="Internal number of one record (source_record_id).")],
    right: Annotated[int, typer.Argument(help="Internal number of the other.")],
    profile: ProfileOption,
    reference: Annotated[str, typer.Option(help="Where the notice is filed. No names or numbers of people.")],
    first: Annotated[str, typer.Option(help="The officer who authorises it.")],
    second: Annotated[str, typer.Option(help="The officer who agrees; another person.")],
) -> None:
    """Put an authorised notice on record. The next link run follows it; after a split see `onestory recipients`."""
    from linkage.notices import Notice, note_notice

    _tell(note_notice(_by_hand(profile), Notice(kind, left, right, reference, first, second)))


@app.command()
def withdraw(
    number: Annotated[int, typer.Argument(help="The notice's number, as `onestory notice list` shows it.")],
    profile: ProfileOption,
    reason: Annotated[str, typer.Option(help="Why it is taken back. No names or numbers of people.")],
    first: Annotated[str, typer.Option(help="The officer who authorises it.")],
    second: Annotated[str, typer.Option(help="The officer who agrees; another person.")],
) -> None:
    """Take a notice back: later link runs go as if it had never come. It stays on record."""
    from linkage.notices import withdraw_notice

    _tell(withdraw_notice(_by_hand(profile), number, reason, first, second))


@app.command("list")
def show(profile: ProfileOption) -> None:
    """Show the notices on record, with the persons their records were taken for when they came."""
    from domain.profile import load_profile
    from governance.store import Store
    from linkage.notices import notices

    table = _table("number", "noted", "kind", "records", "persons then", "reference", "officers", "in force")
    with Store(load_profile(profile)).connect("linker") as connection:
        for kept in notices(connection):
            told = kept.notice
            table.add_row(
                str(kept.number),
                f"{kept.noted_at:%Y-%m-%d %H:%M}",
                told.kind,
                f"{told.left}, {told.right}",
                f"{kept.left_person}, {kept.right_person}",
                told.reference,
                f"{told.first_officer}, {told.second_officer}",
                "yes" if kept.is_in_force else "no",
            )
    Console(width=160).print(table)


def _by_hand(profile: Path) -> RunContext:
    from domain.profile import load_profile
    from domain.run import RunContext

    return RunContext(load_profile(profile), run_id=f"by-hand-{date.today()}", actor=getpass.getuser())


def _tell(result: RunResult) -> None:
    for finding in result.findings:
        typer.echo(f"{finding.code}: {finding.message}")
    if not result.is_done:
        raise typer.Exit(REFUSED)


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
