"""Commands for whoever decides who is who: answers about two records, contradictions, people joined by rule.

Records are named `source:key`, by the supplier's own key; nothing shown holds a name, a date of birth or a number of a
person. Exit codes: 0 done; 2 wrong use; 3 it waits for a person; 4 refused, nothing was changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from onestory.acting import WAITS, ProfileOption, asked, by_hand, day, table, tell

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from linkage.answers import KeptAnswer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Who is who, decided by people: same, not the same, cannot tell. Outranks every run, and can be taken back.",
)


class Said(StrEnum):
    """What a reviewer can say."""

    SAME = "same"
    NOT_SAME = "not-same"
    CANNOT_TELL = "cannot-tell"


One = Annotated[str, typer.Argument(help="source:key of one record, by the supplier's own key.")]
Other = Annotated[str, typer.Argument(help="source:key of the other.")]
AnswerSaid = Annotated[Said, typer.Argument(help="What was found.")]
Reason = Annotated[str, typer.Option(help="Why, or where it is filed. No names or numbers of people.")]
Number = Annotated[int, typer.Argument(help="The decision's number, as `onestory decide list` shows it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Go on without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")]


@app.command()
def pair(
    one: One,
    other: Other,
    answer: AnswerSaid,
    profile: ProfileOption,
    by: Annotated[str, typer.Option(help="The reviewer.")],
    reason: Reason,
    second: Annotated[str, typer.Option(help="Who agrees; needed where readers have seen the people concerned.")] = "",
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Decide about two records. Shows first what would follow, and asks where readers have seen the people concerned.

    Example: onestory decide pair carefirst:1000234 micare:4711 same --by "P. Reviewer" --reason "both files seen"
    """
    from linkage.answers import Answer, record_answer
    from linkage.proposals import decided
    from onestory.effects_shown import ask

    said = answer.value.replace("-", "_")
    ask(profile, decided(one, other, said), yes=yes, dry_run=dry_run)
    tell(record_answer(by_hand(profile, by), Answer(one, other, said, by, reason, second)))


@app.command()
def withdraw(
    number: Number,
    profile: ProfileOption,
    first: Annotated[str, typer.Option(help="Who takes it back.")],
    second: Annotated[str, typer.Option(help="Who agrees; another person.")],
    reason: Reason,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Take a decision back: later runs go as if it had never been made. It stays on record.

    Example: onestory decide withdraw 7 --first "P. Reviewer" --second "S. Lead" --reason "the wrong file was open"
    """
    from linkage.answers import withdraw_answer
    from linkage.proposals import withdrawn
    from onestory.effects_shown import ask

    ask(profile, withdrawn(number), yes=yes, dry_run=dry_run)
    tell(withdraw_answer(by_hand(profile, first), number, reason=reason, first=first, second=second))


@app.command("list")
def show(
    profile: ProfileOption, past: Annotated[bool, typer.Option("--withdrawn", help="Withdrawn ones, too.")] = False
) -> None:
    """Show the decisions in force: about which records, by whom, why, and whether a notice stands behind them."""
    from linkage.answers import answers

    _print(asked(profile, lambda connection: _rows(connection, answers(connection, only_standing=not past))), [])


@app.command()
def conflicts(profile: ProfileOption) -> None:
    """Show decisions that contradict each other, also through a third record; nothing is joined or parted meanwhile.

    Exit code 3 while any waits, so that a monitor can run it; 0 otherwise. `onestory decide adjudicate` settles one.
    """
    from linkage.answers import contradictions

    def read(connection: Connection) -> list[list[list[str]]]:
        return [_rows(connection, waiting) for waiting in contradictions(connection)]

    found = asked(profile, read)
    if not found:
        typer.echo("no decisions contradict each other")
        return
    for rows in found:
        _print(rows, [])
    raise typer.Exit(WAITS)


@app.command()
def adjudicate(
    one: One,
    other: Other,
    answer: AnswerSaid,
    profile: ProfileOption,
    by: Annotated[str, typer.Option(help="Who has heard both reasons; none of those who contradict each other.")],
    reason: Reason,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Settle a contradiction: answers against this one about the two records are withdrawn and stay on record.

    Example: onestory decide adjudicate carefirst:1000234 micare:4711 same --by "A. Judge" --reason "file IG 7"
    """
    from linkage.answers import Answer
    from linkage.answers import adjudicate as settle
    from linkage.proposals import adjudicated
    from onestory.effects_shown import ask

    said = answer.value.replace("-", "_")
    ask(profile, adjudicated(one, other, said), yes=yes, dry_run=dry_run)
    tell(settle(by_hand(profile, by), Answer(one, other, said, by, reason)))


@app.command()
def joined(profile: ProfileOption) -> None:
    """Show people whom readers had seen as two and a run made one by rule, until somebody decides about the pair.

    Exit code 3 while any waits; 0 otherwise. `onestory decide pair … same` confirms, `… not-same` parts them again.
    """
    from governance.records_named import names_of
    from linkage.established import joined_by_runs

    def read(connection: Connection) -> list[list[str]]:
        found = joined_by_runs(connection)
        names = names_of(connection, (record for one in found for record in (one.one, one.other)))
        return [
            [
                *(one.lost, one.kept, day(one.since), names[one.one], names[one.other], one.rule),
                *(str(one.releases), str(one.sent)),
            ]
            for one in found
        ]

    rows = asked(profile, read)
    if not rows:
        typer.echo("no people whom readers had seen were joined by rule and not looked at")
        return
    _print(rows, ["was", "is now", "since", "record", "and", "joined by", "releases", "returns"])
    raise typer.Exit(WAITS)


def _rows(connection: Connection, kept: Iterable[KeptAnswer]) -> list[list[str]]:
    from governance.records_named import names_of

    kept = list(kept)
    names = names_of(connection, (record for one in kept for record in (one.left, one.right)))
    return [
        [
            str(one.number),
            names[one.left],
            names[one.right],
            one.answer.replace("_", "-"),
            " and ".join(name for name in (one.reviewer, one.second) if name),
            one.reason,
            day(one.decided_at),
            f"{day(one.withdrawn_at)}, {one.withdrawn_by}: {one.withdrawal_reason}" if one.withdrawn_at else "",
            str(one.notice or ""),
        ]
        for one in kept
    ]


def _print(rows: list[list[str]], columns: list[str]) -> None:
    from rich.console import Console

    decision = ["decision", "record", "and", "answer", "by", "reason", "decided", "withdrawn", "notice"]
    shown = table(*(columns or decision))
    for row in rows:
        shown.add_row(*row)
    Console(width=150).print(shown if rows else "no decision is in force")
