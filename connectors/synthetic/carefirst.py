"""CareFirst of the synthetic council: a nightly full dump of every table, and the control file that proves it whole.

`write` prepares all nights; `release` puts one night's files where the connector looks, control file last. Deletions
show by absence only. Table layouts are assumptions (sources hand-book 5.2); so is the SHA-256 in the control file.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, time, timedelta
from pathlib import Path

from connectors.synthetic.carefirst_dump import Draws, Dump, encoded, moment
from connectors.synthetic.carefirst_events import write_events
from connectors.synthetic.carefirst_faults import arrive, spoilt, write_plan
from connectors.synthetic.carefirst_lists import write_lists
from connectors.synthetic.carefirst_people import people_of, write_people
from connectors.synthetic.carefirst_tables import COLUMNS
from connectors.synthetic.defects import log_of
from connectors.synthetic.world import World

CONTROL_COLUMNS = ("FILE_NAME", "ROW_COUNT", "EXTRACT_START", "EXTRACT_END", "SHA256")


def write(world: World, supply: Path) -> None:
    """Write every night's dump below `supply`/carefirst and log the defects it injects to `world.defects`."""
    draws = Draws(world.seed, world.quality, log_of(world, "carefirst"))
    dump = Dump()
    people = people_of(world)
    write_lists(world, dump, draws)
    write_people(world, people, dump, draws)
    write_events(world, people, dump, draws)
    write_plan(world, supply / "carefirst")
    for night, kind in world.faults_of("carefirst").items():
        stamp = f"{world.night_date(night):%Y%m%d}"
        draws.log.add("D91", f"CF_{stamp}", f"CF_{stamp}", kind, night)
    for night in range(world.nights + 1):
        _write_night(world, night, dump, draws, supply / "carefirst" / f"night_{night}")


def release(supply: Path, night: int, inbox: Path) -> None:
    """Make night `night`'s files appear in `inbox`/carefirst, the control file last.

    Raises:
        FileNotFoundError: when that night was never written.
    """
    target = inbox / "carefirst"
    target.mkdir(parents=True, exist_ok=True)
    arrive(supply / "carefirst", night, target)


def _write_night(world: World, night: int, dump: Dump, draws: Draws, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stamp = f"{world.night_date(night):%Y%m%d}"
    started = datetime.combine(world.night_date(night), time(1, 5))
    named: list[tuple[str, int, str]] = []
    faults = world.faults_of("carefirst")
    for table in COLUMNS:
        columns, lines = spoilt(COLUMNS[table], table, dump.lines(table, night), night, faults)
        with_mark = draws.hits("D89c", f"{table}:{night}")
        if with_mark:
            draws.note("D89", table, f"CF_{table}_{stamp}.csv", "", night)
        content = encoded(columns, lines, byte_order_mark=with_mark)
        name = f"CF_{table}_{stamp}.csv"
        (folder / name).write_bytes(content)
        named.append((name, len(lines), hashlib.sha256(content).hexdigest()))
    (folder / f"CF_CONTROL_{stamp}.csv").write_bytes(_control(named, started))


def _control(named: list[tuple[str, int, str]], started: datetime) -> bytes:
    ended = started + timedelta(minutes=20)
    lines = ["|".join(CONTROL_COLUMNS)]
    lines += [f"{name}|{rows}|{moment(started)}|{moment(ended)}|{digest}" for name, rows, digest in named]
    return ("\n".join(lines) + "\n").encode("cp1252")
