"""`onestory bench`: what is measured, from the command line, and the command kept beside each linkage result."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

_GROWTH: Final = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
_SETS: Final = Path("../shared/data/linkage")


def bench(
    what: Annotated[
        str, typer.Argument(help="all (but linkage), or one part: reading, delta, stages; linkage; sizing.")
    ] = "all",
    home: Annotated[Path, typer.Option("--home", help="A folder for everything it makes.")] = Path("var/bench"),
    large: Annotated[float, typer.Option(help="How many times larger the second council is.")] = 10.0,
    patients: Annotated[int, typer.Option(help="Patients of the SystmOne bulk, or of linkage.")] = 1_000_000,
    clients: Annotated[int, typer.Option(help="Of linkage: care records.")] = 100_000,
    repeat: Annotated[int, typer.Option(help="Of linkage: rounds in which peers and ours take turns.")] = 3,
    figures: Annotated[str, typer.Option(help="Of linkage: which figures, with commas; default all.")] = "",
    data: Annotated[Path, typer.Option(help="Of linkage: where the public sets with truth are.")] = _SETS,
    keep: Annotated[Path | None, typer.Option(help="Of linkage: where results are kept; default docs.")] = None,
) -> None:
    """Time reading beside DuckDB and pandas, a delta beside its bulk, and every stage at two sizes; keep the tables.

    With `linkage`: our linkage beside Splink, recordlinkage and hand-written SQL; results in docs/benchmarks. With
    `sizing`: the pages of linkage and of sizing made anew from what was measured; nothing is run.
    """
    warnings.simplefilter("ignore")
    for name, value in (("PYTHONWARNINGS", "ignore"), ("TQDM_DISABLE", "1"), ("GX_ANALYTICS_ENABLED", "false")):
        os.environ.setdefault(name, value)
    console = Console(width=max(shutil.get_terminal_size((120, 40)).columns, 100))
    try:
        if what == "linkage":
            _linkage(home / "linkage", patients, clients, repeat, figures, data, keep, console)
        elif what == "sizing":
            from onestory.bench_linkage_page import FOLDER, write_pages

            for page in write_pages(keep or FOLDER):
                console.print(page.read_text(encoding="utf-8"), markup=False, highlight=False, soft_wrap=True)
        else:
            from onestory.bench import run_bench

            run_bench(home, large, console, what, patients)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None


def _linkage(
    home: Path, patients: int, clients: int, repeat: int, figures: str, data: Path, keep: Path | None, console: Console
) -> None:
    from onestory.bench_linkage import run_bench_linkage
    from onestory.bench_linkage_page import FOLDER
    from onestory.bench_linkage_rounds import Bench

    names = [name.strip() for name in figures.split(",") if name.strip()]
    command = f"onestory bench linkage --patients {patients} --clients {clients} --repeat {repeat}"
    sizes = tuple(size for size in _GROWTH if size <= patients * 10)
    asked = Bench(home.resolve(), patients, clients, max(1, repeat), data.resolve(), sizes, console)
    run_bench_linkage(asked, names, command, keep or FOLDER)
