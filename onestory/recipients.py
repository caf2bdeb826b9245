"""Commands for information governance: notices about who is who, and who was given what about a person."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from onestory.acting import ProfileOption, asked, by_hand, loaded, table, tell

if TYPE_CHECKING:
    from governance.recipients import PreparedFrom

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Authorised notices about who is who: a number replaced, records merged, a shared number taken apart.",
)
_PERSON_COLUMNS = ("Unique Identifier", "Linked Person_ID")


def recipients(
    person: Annotated[str, typer.Argument(help="The person id, as releases and returns show it.")],
    profile: ProfileOption,
) -> None:
    """Show every release and return that held a person's records, also under the id of somebody else by mistake.

    For after a split, a merge or a breach. Release numbers, pseudonymous ids and counts only.
    """
    from governance.recipients import releases_showing, returns_from
    from governance.store import Store

    with Store(loaded(profile)).connect("auditor") as connection:
        shown = releases_showing(connection, person)
        returns = returns_from(connection, {line.release for line in shown})
    if not shown:
        typer.echo("no release has shown that person")
        return
    seen = table("release", "published", "shown as", "records", "of them somebody else's now")
    for line in shown:
        when = f"{line.published_at:%Y-%m-%d %H:%M}"
        seen.add_row(str(line.release), when, line.shown_as, str(line.records), str(line.elsewhere_now))
    people = {person, *(line.shown_as for line in shown)}
    given = table("return", "release", "period", "status", "rows of the person", "file")
    for one in returns:
        rows = rows_in(one, people)
        period = f"{one.period_start} to {one.period_end}"
        told = "the file is gone or altered: cannot tell" if rows is None else str(rows)
        given.add_row(one.collection, str(one.release), period, one.status, told, one.sha256[:12])
    Console(width=140).print(seen, given)


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
    left: Annotated[str, typer.Argument(help="source:key of one record, by the supplier's own key.")],
    right: Annotated[str, typer.Argument(help="source:key of the other.")],
    profile: ProfileOption,
    reference: Annotated[str, typer.Option(help="Where the notice is filed. No names or numbers of people.")],
    first: Annotated[str, typer.Option(help="The officer who authorises it.")],
    second: Annotated[str, typer.Option(help="The officer who agrees; another person.")],
    yes: Annotated[bool, typer.Option("--yes", help="Go on without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
) -> None:
    """Put an authorised notice on record; the next link run follows it. Shows first what would follow, and asks.

    Example: onestory notice add split carefirst:10234 micare:4711 --reference "IG 4" --first "A. Lee" --second "B. Roe"
    """
    from linkage.answers import pair_of
    from linkage.notices import Notice, note_notice
    from linkage.proposals import noticed
    from onestory.effects_shown import ask

    ask(profile, noticed(kind, left, right), yes=yes, dry_run=dry_run)
    pair = asked(profile, lambda connection: pair_of(connection, left, right))
    tell(note_notice(by_hand(profile, first), Notice(kind, *pair, reference, first, second)))


@app.command()
def withdraw(
    number: Annotated[int, typer.Argument(help="The notice's number, as `onestory notice list` shows it.")],
    profile: ProfileOption,
    reason: Annotated[str, typer.Option(help="Why it is taken back. No names or numbers of people.")],
    first: Annotated[str, typer.Option(help="The officer who authorises it.")],
    second: Annotated[str, typer.Option(help="The officer who agrees; another person.")],
    yes: Annotated[bool, typer.Option("--yes", help="Go on without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
) -> None:
    """Take a notice back: later link runs go as if it had never come. It stays on record.

    Example: onestory notice withdraw 2 --reason "meant for another file" --first "A. Lee" --second "B. Roe"
    """
    from linkage.notices import withdraw_notice
    from linkage.proposals import notice_withdrawn
    from onestory.effects_shown import ask

    ask(profile, notice_withdrawn(number), yes=yes, dry_run=dry_run)
    tell(withdraw_notice(by_hand(profile, first), number, reason, first, second))


@app.command("list")
def show(profile: ProfileOption) -> None:
    """Show the notices on record, with the persons their records were taken for when they came."""
    from governance.records_named import names_of
    from governance.store import Store
    from linkage.notices import notices

    shown = table("number", "noted", "kind", "records", "persons then", "reference", "officers", "in force")
    with Store(loaded(profile)).connect("linker") as connection:
        found = notices(connection)
        names = names_of(connection, (record for kept in found for record in (kept.notice.left, kept.notice.right)))
        for kept in found:
            told = kept.notice
            shown.add_row(
                str(kept.number),
                f"{kept.noted_at:%Y-%m-%d %H:%M}",
                told.kind,
                f"{names[told.left]}, {names[told.right]}",
                f"{kept.left_person}, {kept.right_person}",
                told.reference,
                f"{told.first_officer}, {told.second_officer}",
                "yes" if kept.is_in_force else "no",
            )
    Console(width=160).print(shown)
