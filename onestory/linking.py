"""`onestory link` and `onestory dedupe`: an analyst tries the linkage engine on any files, without a council around it.

Columns are understood by guessing, the guess is shown and kept, and everything found is left in one folder. No value of
a person is printed; links name records by their ids.
"""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from linkage.trial.facts import Progress
    from onestory.linking_run import Trial

REFUSED, FAILED = 4, 1

_FILE = "CSV (any delimiter, any encoding, also .gz) or Parquet."
LeftArgument = Annotated[Path, typer.Argument(metavar="LEFT", exists=True, dir_okay=False, readable=True, help=_FILE)]
RightArgument = Annotated[Path, typer.Argument(metavar="RIGHT", exists=True, dir_okay=False, readable=True, help=_FILE)]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help=_FILE)]
OutOption = Annotated[Path, typer.Option("--out", help="The folder for everything it leaves; made when missing.")]
RolesOption = Annotated[
    Path | None,
    typer.Option(
        "--roles", exists=True, dir_okay=False, help="What the columns mean (YAML). Default: guessed, shown, kept."
    ),
]
TrainOption = Annotated[bool, typer.Option("--train", help="Learn the model from these files. This is the default.")]
ModelOption = Annotated[
    Path | None,
    typer.Option("--model", exists=True, dir_okay=False, help="Use this model.json of an earlier run; learn nothing."),
]
CutOption = Annotated[
    float | None,
    typer.Option("--cut", help="Link from this weight in bits. Default: chosen without knowing the answer."),
]
IdOption = Annotated[
    list[str] | None,
    typer.Option(
        "--id", help="The column that names each record; for link once for both files, or twice: left, right."
    ),
]
NoIdentifiersOption = Annotated[
    bool, typer.Option("--no-identifiers", help="Do not use unique numbers (NHS, social security ...) as evidence.")
]
SeedOption = Annotated[int, typer.Option("--seed", help="The same files and seed give the same links.")]
MemoryOption = Annotated[
    str, typer.Option("--memory", help="The most memory the engine takes before it uses the disk.")
]
ThreadsOption = Annotated[int, typer.Option("--threads", min=1, help="Processors it may use.")]


def link(
    left: LeftArgument,
    right: RightArgument,
    out: OutOption = Path("onestory-link"),
    roles: RolesOption = None,
    train: TrainOption = False,
    model: ModelOption = None,
    cut: CutOption = None,
    one_to_one: Annotated[
        bool | None,
        typer.Option(
            "--one-to-one/--many", help="At most one partner for each record, or any number. Default: judged."
        ),
    ] = None,
    id_column: IdOption = None,
    no_identifiers: NoIdentifiersOption = False,
    seed: SeedOption = 1,
    memory: MemoryOption = "4GB",
    threads: ThreadsOption = 2,
) -> None:
    """Find the records of LEFT and RIGHT that belong to the same people.

    The two files may name their columns differently; what each column means is guessed from its heading and its
    content, shown, and written to roles.yml. Nothing needs to be known about who is who: the model is learnt from
    the files themselves.

    \b
    Example:
      onestory link clients.csv patients.parquet --out trial
      (look at trial/report.html; was a column misunderstood? edit trial/roles.yml, then)
      onestory link clients.csv patients.parquet --out trial --roles trial/roles.yml

    \b
    It leaves in --out:
      links.csv, links.parquet   left_id, right_id, weight (bits), rule, cluster
      clusters.csv               side, id, cluster: every record, also those without a partner
      roles.yml                  what each column was taken for; edit and use again with --roles
      model.json                 the model; use again with --model
      report.html, summary.json  how it went: rules, levels, weights, patterns, warnings

    Exit codes: 0 done; 1 something of ours failed; 2 wrong use; 4 a file was refused (the sentence says why).
    """
    from onestory.linking_run import Trial

    _check(train, model, id_column, most=2)
    with_settings = _settings(cut, one_to_one, no_identifiers, seed, memory, threads)
    _run(Trial((left, right), out, roles, model, tuple(id_column or ()), with_settings))


def dedupe(
    file: FileArgument,
    out: OutOption = Path("onestory-dedupe"),
    roles: RolesOption = None,
    train: TrainOption = False,
    model: ModelOption = None,
    cut: CutOption = None,
    id_column: IdOption = None,
    no_identifiers: NoIdentifiersOption = False,
    seed: SeedOption = 1,
    memory: MemoryOption = "4GB",
    threads: ThreadsOption = 2,
) -> None:
    """Find the records of FILE that belong to the same people.

    What each column means is guessed from its heading and its content, shown, and written to roles.yml. A column that
    may hold the answer (a cluster, a label, a person's key) is never used as evidence.

    \b
    Example:
      onestory dedupe register.csv --out trial
      (look at trial/report.html; then, stricter:)
      onestory dedupe register.csv --out trial --roles trial/roles.yml --cut 12

    \b
    It leaves in --out:
      links.csv, links.parquet   left_id, right_id, weight (bits), rule, cluster
      clusters.csv               id, cluster: every record, also those that stand alone
      roles.yml                  what each column was taken for; edit and use again with --roles
      model.json                 the model; use again with --model
      report.html, summary.json  how it went: rules, levels, weights, patterns, warnings

    Exit codes: 0 done; 1 something of ours failed; 2 wrong use; 4 the file was refused (the sentence says why).
    """
    from onestory.linking_run import Trial

    _check(train, model, id_column, most=1)
    _run(
        Trial(
            (file,),
            out,
            roles,
            model,
            tuple(id_column or ()),
            _settings(cut, None, no_identifiers, seed, memory, threads),
        )
    )


def _check(train: bool, model: Path | None, id_column: list[str] | None, *, most: int) -> None:
    if train and model is not None:
        raise typer.BadParameter("--train learns a model and --model brings one; give one of them")
    if len(id_column or ()) > most:
        raise typer.BadParameter(f"--id may be given {'twice: left, right' if most == 2 else 'once'}")


def _settings(
    cut: float | None, one_to_one: bool | None, no_identifiers: bool, seed: int, memory: str, threads: int
) -> dict[str, object]:
    import re

    if not re.fullmatch(r"\d+(\.\d+)? ?([KMGT]i?)?B", memory, re.IGNORECASE):
        raise typer.BadParameter(f"--memory {memory!r} is no size; write for example 4GB or 500MB")
    if cut is not None and not math.isfinite(cut):
        raise typer.BadParameter("--cut must be a number of bits, for example 10")
    return {
        "cut": cut,
        "one_to_one": one_to_one,
        "use_identifiers": not no_identifiers,
        "seed": seed,
        "memory_limit": memory,
        "threads": threads,
    }


def _run(trial: Trial) -> None:
    from linkage.trial.refusal import Refused
    from onestory.linking_show import show_roles, show_summary

    if trial.out.exists() and not trial.out.is_dir():
        raise typer.BadParameter(f"--out {trial.out} is a file; it must be a folder")
    width = max(shutil.get_terminal_size((120, 40)).columns, 100)
    console, errors = Console(width=width), Console(stderr=True, width=width)
    try:
        with _progress(errors) as progress:
            trial.prepare(progress)
            trial.understand()
        show_roles(trial, console)
        with _progress(errors) as progress:
            summary = trial.finish(progress)
        show_summary(summary, console)
    except Refused as refusal:
        errors.print(f"Refused: {refusal}", soft_wrap=True, highlight=False, markup=False)
        raise typer.Exit(REFUSED) from None
    except typer.BadParameter:
        raise
    except MemoryError:
        _tell_memory(trial, errors)
        raise typer.Exit(FAILED) from None
    except Exception as problem:
        if os.environ.get("ONESTORY_TRACEBACK"):
            raise
        if type(problem).__name__ == "OutOfMemoryException":
            _tell_memory(trial, errors)
        else:
            _tell_failure(problem, errors)
        raise typer.Exit(FAILED) from None


def _tell_memory(trial: Trial, errors: Console) -> None:
    given = trial.settings["memory_limit"]
    errors.print(
        f"The memory given ({given}) is too little for these files; give more with --memory, for example 4GB. The "
        "files were not changed.",
        soft_wrap=True, highlight=False, markup=False,
    )  # fmt: skip


def _tell_failure(problem: Exception, errors: Console) -> None:
    """Where it broke, without the message: messages of libraries quote values."""
    import traceback

    frames = [
        f for f in traceback.extract_tb(problem.__traceback__) if f"{os.sep}site-packages{os.sep}" not in f.filename
    ]
    where = f"{Path(frames[-1].filename).stem}, line {frames[-1].lineno}" if frames else "an unknown place"
    errors.print(
        f"Something of ours failed: {type(problem).__name__} in {where}. The files were not changed. To see all of it "
        "(values of people included), set ONESTORY_TRACEBACK=1.",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


@contextmanager
def _progress(errors: Console) -> Iterator[Progress]:
    """A bar on the error stream when that is a terminal; nothing otherwise."""
    if not (errors.is_terminal and sys.stderr.isatty()):
        yield lambda step, share: None
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    with Bars(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=errors, transient=True
    ) as bars:
        task = bars.add_task("reading", total=None)

        def tell(step: str, share: float | None) -> None:
            bars.update(task, description=step, total=None if share is None else 1.0, completed=share or 0.0)

        yield tell
