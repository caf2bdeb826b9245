"""Commands for a council that replaces one supplier by another: look at a trial load, reconcile go-live, see the phase.

Each load gives a reconciliation pack (HTML and CSV) under `reports/cutover/`. Exit codes: 0 every check passes; 3 a
check fails, the load waits for a person; 1 something of ours failed; 2 wrong use.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from domain.profile import Profile
    from domain.run import RunResult
    from governance.store import Store
    from warehouse.cutover.plan import CutoverPlan
    from warehouse.cutover.reconcile import Reconciliation

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="A supplier replaced by another: trial loads, the reconciliation pack, the phase of a day.",
)
ProfileOption = Annotated[
    Path, typer.Option("--profile", envvar="ONESTORY_PROFILE", help="The council's profile (YAML).")
]
AdminOption = Annotated[
    str, typer.Option(envvar="ONESTORY_ADMIN_URL", help="Address of the warehouse database, as its administrator.")
]
_FAILS = 3


@app.command()
def trial(
    load: Annotated[int, typer.Option(help="The number of the load, as the cross-reference list counts them.")],
    profile: ProfileOption,
    admin_url: AdminOption,
) -> None:
    """Look at a trial load in a scratch warehouse that is gone afterwards; the real index is not touched."""
    settings, plan = _plan(profile)
    found, page = run_trial(settings, plan, load, admin_url, told=_tell)
    _finish(found, page)


@app.command()
def reconcile(
    profile: ProfileOption,
    as_known_at: Annotated[
        datetime | None, typer.Option(help="Compare what was known at this moment; default: what is known now.")
    ] = None,
) -> None:
    """Compare old and new system in the real warehouse, for go-live and as often as wanted afterwards."""
    from domain.periods import LONDON

    settings, plan = _plan(profile)
    at = as_known_at and (as_known_at if as_known_at.tzinfo else as_known_at.replace(tzinfo=LONDON))
    _finish(*run_reconciliation(settings, plan, at))


@app.command()
def status(
    profile: ProfileOption,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; default: today.")] = None,
) -> None:
    """Show the phase of the cut-over on a day, and the days on which the phases begin."""
    from domain.periods import LONDON, now
    from warehouse.cutover.plan import PHASES

    _, plan = _plan(profile)
    day = on.date() if on else now().astimezone(LONDON).date()
    phase = plan.phase_on(day)
    console = Console(width=110)
    console.print(f"{plan.old} is replaced by {plan.new}; on {day}: {phase}: {PHASES[phase]}", highlight=False)
    table = _table("from", "what", "")
    for load, loaded in enumerate(plan.trial_loads, 1):
        table.add_row(str(loaded), f"trial load {load}", _pack_of(profile, load))
    table.add_row(str(plan.freeze_from), "freeze", "")
    table.add_row(str(plan.live_from), f"go-live (load {plan.go_live_load})", _pack_of(profile, plan.go_live_load))
    table.add_row(str(plan.dual_running_until), "the old system is closed", "")
    table.add_row(str(plan.archive_from), "archive", "")
    console.print(table)


def run_trial(
    profile: Profile, plan: CutoverPlan, load: int, admin_url: str, told: object = None
) -> tuple[Reconciliation, Path]:
    """Load, compare, write the pack, forget the scratch warehouse; returns what was found and the page.

    Raises:
        ProfileError: when there is no trial load of that number.
        StageFailure: when the load is not there or could not be linked.
    """
    from domain.profile import ProfileError
    from governance.store import Store
    from warehouse.cutover import trial as trials
    from warehouse.cutover.facts import Moment
    from warehouse.cutover.reconcile import reconcile as compare

    if load >= plan.go_live_load:
        raise ProfileError(f"load {load} is go-live or later; use `onestory cutover reconcile`")
    day = plan.day_of(load)
    with trials.scratch_warehouse(profile, plan, load, admin_url) as scratch:
        trials.load_into(scratch, f"cutover-trial-{load}", _user(), told if callable(told) else None)
        store = Store(scratch)
        found = compare(store, plan, Moment(load, day), _checks(profile, plan))
        return found, _write(profile, plan, found, _known_at(store))


def run_reconciliation(
    profile: Profile, plan: CutoverPlan, as_known_at: datetime | None = None
) -> tuple[Reconciliation, Path]:
    """Compare in the real warehouse, as known at the moment (None: now), and write the pack of go-live."""
    from governance.store import Store
    from warehouse.cutover.facts import Moment
    from warehouse.cutover.reconcile import reconcile as compare

    store = Store(profile)
    moment = Moment(plan.go_live_load, plan.live_from, as_known_at)
    found = compare(store, plan, moment, _checks(profile, plan))
    return found, _write(profile, plan, found, str(as_known_at or _known_at(store)))


def _write(profile: Profile, plan: CutoverPlan, found: Reconciliation, as_known_at: str) -> Path:
    from review.cutover_pack import write

    folder = profile.reports / "cutover" / f"load_{found.load}"
    return write(found, folder, as_known_at=as_known_at, source_of_old=plan.old, source_of_new=plan.new)


def _known_at(store: Store) -> str:
    from governance.ledger import latest_moment

    with store.connect("auditor") as connection:
        moment = latest_moment(connection)
    return moment.isoformat(timespec="minutes") if moment else "never"


def _checks(profile: Profile, plan: CutoverPlan) -> Path | None:
    named = profile.source(plan.list_source).options.get("checks")
    return profile.path.parent / named if named else None


def _plan(path: Path) -> tuple[Profile, CutoverPlan]:
    from domain.profile import ProfileError, load_profile
    from warehouse.cutover.plan import plan_of

    try:
        profile = load_profile(path)
        plan = plan_of(profile)
    except ProfileError as problem:
        raise typer.BadParameter(str(problem)) from None
    if plan is None:
        raise typer.BadParameter(
            f"{path} tells of no cut-over: its cross-reference source needs the settings old, new and live_from"
        )
    return profile, plan


def _tell(result: RunResult) -> None:
    console = Console(width=120)
    console.print(f"{result.stage:<8} {result.scope:<16} {result.state.value}", highlight=False)
    for finding in result.findings if not result.is_done else ():
        console.print(f"    {finding.code}: {finding.message}", highlight=False, soft_wrap=True)


def _finish(found: Reconciliation, page: Path) -> None:
    table = _table("check", "passes when", "state", "old", "new", "explained", "unexplained")
    for row in found.rows:
        figures = (row.old, row.new, row.explained, row.unexplained)
        table.add_row(row.check.title, row.check.rule_in_words, row.state, *(f"{n:,}" for n in figures))
    console = Console(width=150)
    console.print(table)
    told = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(found.pattern_counts.items()))
    console.print(f"patterns: {told}", highlight=False, soft_wrap=True)
    for row in found.rows:
        if row.state == "fail" and row.check.incident:
            console.print(f"CONFIDENTIALITY INCIDENT: {row.check.title}: {row.unexplained} missing", highlight=False)
    console.print(f"pack: {page}", highlight=False, soft_wrap=True)
    raise typer.Exit(0 if found.passed else _FAILS)


def _pack_of(profile: Path, load: int) -> str:
    from domain.profile import load_profile

    page = load_profile(profile).reports / "cutover" / f"load_{load}" / "pack.html"
    return f"pack of {date.fromtimestamp(page.stat().st_mtime)}" if page.exists() else "no pack yet"


def _table(*headings: str) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in ("old", "new", "explained", "unexplained") else "left")
    return table


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown user"
