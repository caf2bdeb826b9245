"""The console command `onestory`: every sub-command says by `--help` what it does, needs and leaves behind.

Exit codes: 0 done; 1 something of ours failed; 2 wrong use; 3 held (it waits for something); 4 refused (the input is
wrong).
"""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from onestory import bench_command, cutover, deciding, drift, linking, lists, models, recipients, status, upkeep

if TYPE_CHECKING:
    from connectors.synthetic.settings import SyntheticSettings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="OneStory joins adult social care and community health records, and builds the statutory returns.",
)
app.add_typer(upkeep.app, name="held")
app.add_typer(drift.app, name="drift")
app.add_typer(cutover.app, name="cutover")
app.command("bench")(bench_command.bench)
app.command("link")(linking.link)
app.command("dedupe")(linking.dedupe)
app.add_typer(status.app, name="incident")
app.command("status")(status.status)
app.add_typer(models.app, name="model")
app.add_typer(recipients.app, name="notice")
app.add_typer(deciding.app, name="decide")
app.add_typer(lists.do_not_link, name="do-not-link")
app.add_typer(lists.do_not_trace, name="do-not-trace")
app.command("recipients")(recipients.recipients)
console = Console(width=max(shutil.get_terminal_size((120, 40)).columns, 100))
EXIT_FOR = {"done": 0, "stopped": 1, "held": 3, "quarantined": 3, "refused": 4}

HomeOption = Annotated[Path, typer.Option("--home", help="The folder everything is kept in.")]
ProfileOption = Annotated[
    Path, typer.Option("--profile", envvar="ONESTORY_PROFILE", help="The council's profile (YAML).")
]
SettingOption = Annotated[
    str | None,
    typer.Option(help="plymouth_like, wirral_like, manchester_like or county_like; default: the demo's two districts."),
]
DEMO_HOME = Path("var/demo")
STAGES = {
    "land": "connectors.stage",
    "check": "expectations.stage",
    "conform": "connectors.conform",
    "take-traces": "connectors.nhs_number_trace.stage:take",
    "ask-traces": "connectors.nhs_number_trace.stage:ask",
    "check-opt-outs": "connectors.opt_out_list.stage:exchange",
    "link": "linkage.stage",
    "build": "warehouse.stage",
    "return": "statutory.stage",
}


@app.command()
def demo(
    home: HomeOption = DEMO_HOME,
    scale: Annotated[float, typer.Option(help="1 is about 5,000 care clients and 20,000 patients.")] = 1.0,
    nights: Annotated[int, typer.Option(help="Nightly deltas after the first load.")] = 5,
    seed: Annotated[int, typer.Option(help="The same seed gives the same council.")] = 20260331,
    setting: SettingOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what the folder holds and begin again.")] = False,
) -> None:
    """Run the main job on a synthetic council: nights in, people linked, warehouse published, return built.

    Leaves summary.json, the Client Level Data file, its validation report and the linkage report in the home folder.
    Running it again changes nothing and shows the same digest.
    """
    _quiet()
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from onestory.demo import run_demo
    from onestory.tables import output_kept_in, show

    if fresh:
        clean(home)
    settings = _council(scale, nights, seed, setting)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with output_kept_in(home / "demo.log") as terminal, Progress(*columns, console=terminal) as progress:
        facts = run_demo(home, settings, progress)
    show(facts, console)


@app.command()
def synth(
    home: HomeOption = DEMO_HOME,
    scale: Annotated[float, typer.Option(help="1 is about 5,000 care clients and 20,000 patients.")] = 1.0,
    nights: Annotated[int, typer.Option(help="Nightly deltas after the first load.")] = 5,
    seed: Annotated[int, typer.Option(help="The same seed gives the same council.")] = 20260331,
    setting: SettingOption = None,
    size: Annotated[
        str,
        typer.Option(
            help="council; county: 1,000,000 patients and 100,000 care clients in all four formats; or linkage: one "
            "health and one care file for judging linkage, as Parquet."
        ),
    ] = "council",
    patients: Annotated[int, typer.Option(help="For size linkage: records of the health file.")] = 1_000_000,
    clients: Annotated[int, typer.Option(help="For size linkage: records of the care file.")] = 100_000,
) -> None:
    """Make a synthetic council: truth files, and every night's deliveries in the suppliers' own formats."""
    _quiet()
    if size == "linkage":
        _write_linkage_world(home.resolve(), patients, clients, seed)
        console.print(f"truth {home / 'truth'}\nfiles {home}", soft_wrap=True, highlight=False)
        return
    if size == "county":
        _write_county(home.resolve(), scale, nights, seed)
    elif size == "council":
        from onestory.demo import synth as make

        make(home.resolve(), _council(scale, nights, seed, setting))
    else:
        raise typer.BadParameter(f"no size {size!r}; there are council, county and linkage")
    console.print(f"truth      {home / 'truth'}\ndeliveries {home / 'supply'}", soft_wrap=True, highlight=False)


@app.command()
def deliver(
    night: Annotated[int, typer.Argument(help="0 is the first load.")],
    home: HomeOption = DEMO_HOME,
    mart_url: Annotated[
        str | None,
        typer.Option(
            envvar="ONESTORY_MART_ADMIN_URL", help="Where the Liquidlogic mart stands; default: the demo's own."
        ),
    ] = None,
) -> None:
    """Let the synthetic suppliers deliver one night: files into the inboxes, the Liquidlogic mart rebuilt."""
    from onestory.home import open_home
    from onestory.nights import deliver as let_arrive

    let_arrive(open_home(home), night, {"liquidlogic": mart_url} if mart_url else None)
    console.print(f"night {night} has been delivered")


@app.command("run")
def run_stage(
    stage: Annotated[str, typer.Argument(help=f"One of {', '.join(STAGES)}.")],
    profile: ProfileOption,
    source: Annotated[str | None, typer.Option(help="For land, check and conform: which source.")] = None,
) -> None:
    """Run one stage once, without the scheduler. Safe to repeat at any time."""
    _quiet()
    from importlib import import_module

    from domain.profile import load_profile
    from domain.run import RunContext

    if stage not in STAGES:
        raise typer.BadParameter(f"no stage called {stage}; there are {', '.join(STAGES)}")
    if (source is None) == (stage in ("land", "check", "conform")):
        raise typer.BadParameter("land, check and conform need --source; the other stages take none")
    context = RunContext(load_profile(profile), run_id=f"by-hand-{date.today()}", actor=_user(), source=source)
    module, _, function = STAGES[stage].partition(":")
    result = getattr(import_module(module), function or "run")(context)
    console.print(f"{result.stage} {result.scope}: {result.state.value}", highlight=False)
    for name, count in result.counts.items():
        console.print(f"  {name:<32} {count:>12,}", highlight=False)
    for finding in result.findings:
        console.print(f"  {finding.code}: {finding.message}. {finding.remedy}", highlight=False, soft_wrap=True)
    raise typer.Exit(EXIT_FOR[result.state.value])


@app.command()
def ledger(profile: ProfileOption) -> None:
    """Show what became of every row read, by source; the balance must be exact."""
    from domain.profile import load_profile
    from governance.store import Store
    from onestory import summary
    from onestory.tables import rows_table

    with Store(load_profile(profile)).connect("auditor") as connection:
        console.print(rows_table(summary.accounts(summary.ledger(connection))))


@app.command()
def trace(
    thing: Annotated[str, typer.Argument(help="person, identity, request, assessment, review, service, contact …")],
    key: Annotated[str, typer.Argument(help="The person id, or the event id as the release views show it.")],
    profile: ProfileOption,
    release: Annotated[int | None, typer.Option(help="An older release; default: the current one.")] = None,
) -> None:
    """Show which line of which extract a row of a release came from. Names places, never values."""
    from domain.profile import load_profile
    from governance.store import Store
    from warehouse.lineage import UnknownRow, lines_of

    try:
        for line in lines_of(Store(load_profile(profile)), thing, key, release):
            console.print(str(line), soft_wrap=True, highlight=False)
    except (UnknownRow, ValueError) as problem:
        raise typer.BadParameter(str(problem)) from None


@app.command()
def migrate(
    admin_url: Annotated[
        str, typer.Option(envvar="ONESTORY_ADMIN_URL", help="Address of the warehouse database, as its administrator.")
    ],
    profile: ProfileOption,
) -> None:
    """Bring a warehouse database to the shape this version needs, and make the council's secret when it has none.

    Running it again changes nothing. Keep a copy of the secret file: quarantined rows cannot be opened without it.
    """
    from domain.profile import load_profile
    from governance.secrets import make_secret
    from warehouse.migrate import migrate as bring_up

    bring_up(admin_url)
    make_secret(load_profile(profile).secret_file)
    console.print("the warehouse is up to date")


@app.command()
def up(home: HomeOption = DEMO_HOME, port: Annotated[int, typer.Option(help="Where the site listens.")] = 8080) -> None:
    """Start Airflow's own site over the demo, to click through. `onestory down` stops it."""
    from onestory import site
    from onestory.home import open_home

    passwords = site.up(open_home(home), port)
    console.print(
        f"the site comes up at http://127.0.0.1:{port} within a minute; sign in as admin, password in {passwords}",
        soft_wrap=True,
        highlight=False,
    )


@app.command()
def down(home: HomeOption = DEMO_HOME) -> None:
    """Stop the site and the embedded database of the demo; what they hold stays."""
    from governance import embedded
    from onestory import site
    from onestory.home import Home

    folder = home.resolve()
    if (folder / "postgres.json").exists():
        site.down(Home(folder, embedded.Server(embedded.folder_for(folder))))
        embedded.stop(folder)
    console.print("stopped")


@app.command()
def clean(home: HomeOption = DEMO_HOME) -> None:
    """Stop and delete the demo: its database, its files, everything made from them."""
    from governance import embedded

    if home.exists() and not (home / "council.yml").exists() and any(home.iterdir()):
        raise typer.BadParameter(f"{home} is not empty and holds no council of ours; nothing was deleted")
    down(home)
    embedded.remove(home.resolve())
    shutil.rmtree(home, ignore_errors=True)


def _write_linkage_world(folder: Path, patients: int, clients: int, seed: int) -> None:
    from connectors.synthetic.linkage_world import LinkageWorldSettings, write_linkage_world

    try:
        settings = LinkageWorldSettings(patients=patients, clients=clients, seed=seed)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    write_linkage_world(folder, settings)


def _write_county(folder: Path, scale: float, nights: int, seed: int) -> None:
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from connectors.synthetic.county import county_settings, write_county

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("making the county", total=None)
        write_county(
            folder,
            county_settings(seed=seed, nights=nights, scale=scale),
            lambda step: progress.update(task, description=step),
        )


def _council(scale: float, nights: int, seed: int, setting: str | None) -> SyntheticSettings:
    from connectors.synthetic.settings import SyntheticSettings

    try:
        if setting is None:
            return SyntheticSettings(seed=seed, scale=scale, nights=nights)
        return SyntheticSettings.of(setting, nights=nights, seed=seed, scale=scale)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None


def _quiet() -> None:
    # Two libraries print advice meant for their own developers; ours would drown in it.
    warnings.simplefilter("ignore")
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


if __name__ == "__main__":
    sys.exit(app())
