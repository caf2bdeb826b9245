"""Commands about model versions: which there are, what one would change for this council, and its approval.

Thin: the calculation is in `linkage.adoption*`. Reports hold counts and patterns only (runbook `adopt-a-model.md`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from onestory.acting import ProfileOption, asked, by_hand, refuse, tell

if TYPE_CHECKING:
    from linkage.adoption import Approval
    from linkage.model import Model

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Versions of the linkage model: list and show them, compare two on this council's records, approve one.",
)
VersionArgument = Annotated[str, typer.Argument(help="A version, as `onestory model list` shows it.")]
OfficerOption = Annotated[list[str], typer.Option("--officer", help="Who approves; may be given more than once.")]
MaybeProfile = Annotated[
    Path | None, typer.Option("--profile", envvar="ONESTORY_PROFILE", help="The council, to see what it uses.")
]
console = Console(width=150)


@app.command("list")
def list_versions(profile: MaybeProfile = None) -> None:
    """List the versions of this release; with a council, also what it used, since when, and who approved it."""
    from linkage.adoption import approvals, used_since
    from linkage.model import card_facts, current_version, kept_versions, load_model

    used = asked(profile, used_since) if profile else {}
    given: list[Approval] = asked(profile, approvals) if profile else []
    now = max(used, key=lambda version: used[version][1], default=None)
    table = _table("version", "made on", "records", "pairs sharing a number", "approved by", "in use here")
    for version in kept_versions():
        facts = load_model(version).facts
        officers = [one for one in given if one.to_version == version and one.from_version != version]
        signed = [f"{', '.join(one.officers)} on {one.approved_at:%Y-%m-%d}" for one in officers]
        if version in used:
            first, last, runs = used[version]
            use = f"{first:%Y-%m-%d} to {'now' if version == now else f'{last:%Y-%m-%d}'}, {runs} runs"
        else:
            use = "shipped for new councils" if version == current_version() else "no"
        table.add_row(
            version + (" (shipped)" if version == current_version() else ""),
            card_facts(version).get("made on", ""),
            f"{facts['records']:,}",
            f"{facts['pairs_with_shared_number']:,}",
            "; ".join(signed) or str(facts["approved_by"]),
            use,
        )
    console.print(table)


@app.command()
def show(version: VersionArgument) -> None:
    """Show a version's card, and m, u and weight of every level."""
    from linkage.model import card, kept_versions, load_model

    if version not in kept_versions():
        raise refuse(ValueError(f"there is no model version {version}; there are {', '.join(kept_versions())}"))
    console.print(card(version), markup=False, highlight=False)
    console.print(_levels(load_model(version)))


@app.command()
def compare(
    from_version: Annotated[str, typer.Argument(metavar="A", help="The version in use.")],
    to_version: Annotated[str, typer.Argument(metavar="B", help="The version that would replace it.")],
    profile: ProfileOption,
) -> None:
    """Say what version B would change on this council's records: people, pairs by reason, quality, gaps, obstacles.

    Publishes nothing. The report is kept with the council and written to its folder of reports, as page and as JSON.
    """
    from domain.run import StageFailure
    from linkage.adoption import AdoptionRefused
    from linkage.adoption_compare import compare as make
    from review.model_difference import write

    context = by_hand(profile)
    try:
        digest, report = make(context, from_version, to_version)
    except (AdoptionRefused, StageFailure) as problem:
        raise refuse(problem) from None
    stem = context.profile.reports / f"model-{from_version}-to-{to_version}"
    page = write(report, digest, stem.with_suffix(".html"))
    stem.with_suffix(".json").write_text(json.dumps({"digest": digest, **report}, indent=1) + "\n", encoding="utf-8")
    _tell_report(report)
    console.print(f"page    {page}\ndata    {stem.with_suffix('.json')}", soft_wrap=True, highlight=False)
    if report["obstacles"]:
        console.print("approve it once the obstacles are explained:", highlight=False)
    console.print(
        f"onestory model approve {to_version} --report {digest[:12]} --officer … --reason …",
        soft_wrap=True,
        highlight=False,
    )


@app.command()
def approve(
    version: VersionArgument,
    profile: ProfileOption,
    report: Annotated[str, typer.Option(help="The digest of the difference report that was read.")],
    officer: OfficerOption,
    reason: Annotated[str, typer.Option(help="Why. No names or numbers of people.")],
) -> None:
    """Approve a version for this council, for the report that was read; the next link run uses it."""
    from linkage.adoption_approval import approve as give

    tell(give(by_hand(profile), version, report=report, officers=officer, reason=reason))


@app.command("take-back")
def take_back(
    profile: ProfileOption,
    officer: OfficerOption,
    reason: Annotated[str, typer.Option(help="Why. No names or numbers of people.")],
) -> None:
    """Take back an approval that no run has followed yet. It stays on record."""
    from linkage.adoption_approval import take_back as back

    tell(back(by_hand(profile), officers=officer, reason=reason))


def _tell_report(report: dict[str, Any]) -> None:
    people, before, after = report["people"], report["from"], report["to"]
    console.print(f"{report['title']}, as known at {report['as_known_at'][:10]}", highlight=False)
    told = _table("people", "count")
    for name, count in people.items():
        told.add_row(name.replace("_", " "), f"{count:,}")
    pairs = _table("pairs from", "to", "why", "pairs")
    for line in report["pairs"]["moves"]:
        pairs.add_row(line["from"], line["to"], report["pairs"]["meaning"][line["why"]], f"{line['pairs']:,}")
    quality = _table("estimate, from hidden numbers", before["version"], after["version"])
    for name in ("recall", "false_share"):
        quality.add_row(name.replace("_", " "), _share(before[name]), _share(after[name]))
        sides = (side["without_a_number"][name] for side in (before, after))
        quality.add_row(f"{name.replace('_', ' ')}, people without a number", *(_share(side) for side in sides))
    quality.add_row("largest gap between groups", *(_gap(side["largest_gap"]) for side in (before, after)))
    console.print(told, pairs, quality)
    for obstacle in report["obstacles"]:
        console.print(f"obstacle {obstacle['code']} ({obstacle['subject']}): {obstacle['message']}", highlight=False)


def _levels(model: Model) -> Table:
    table = _table("comparison", "level", "m", "u", "bits")
    for comparison in model.comparisons:
        for level in comparison.levels:
            if not level.is_null:
                row = (f"{level.m:.6f}", f"{level.u:.6f}", f"{level.weight:+.2f}")
                table.add_row(comparison.name.replace("_", " "), level.label, *row)
    for guard in model.guards:
        table.add_row("guard", guard.name, "", "", f"{guard.bits:+.2f}")
    table.add_row("", "starting weight", "", "", f"{model.starting_weight:+.2f}")
    return table


def _share(estimate: dict[str, Any]) -> str:
    if estimate["value"] is None:
        return "not measured"
    return f"{100 * estimate['value']:.2f} % ({100 * estimate['low']:.2f} to {100 * estimate['high']:.2f})"


def _gap(gap: dict[str, Any] | None) -> str:
    return f"{gap['points']:.1f} points, {gap['dimension']}: {gap['group']}" if gap else "not measured"


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for column in columns:
        number = column in ("count", "pairs", "m", "u", "bits", "records", "pairs sharing a number")
        table.add_column(column, overflow="fold", justify="right" if number else "left")
    return table
