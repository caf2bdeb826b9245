"""The migration project's cross-reference list of the synthetic council: dated versions of one spreadsheet (6.3, D92).

Each load adds its rows to the list; the list of go-live has been through a spreadsheet, and half of what that damaged
is mended in the version saved when the old system is closed. The catalogue gives D92 no rate; those below are
assumptions. Where the load wrote a wrong id into the new record, the list repeats the mistake.
"""

from __future__ import annotations

import csv
import io
import random
import shutil
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from connectors.synthetic.defects import DefectLog, defect_rng
from connectors.synthetic.setting import Cutover
from connectors.synthetic.world import World

SYSTEM: Final = "cross_reference"
HEADER: Final = ("OLD_ID", "NEW_ID", "LOAD_NO", "MATCH_RULE", "DECIDED_BY", "DECIDED_ON")

_RULES: Final = {"several_to_one": "2-1", "one_to_several": "1-2"}
_DECIDERS: Final = ("MIGR01", "MIGR02", "MIGR03")
_ZEROS_LOST: Final = 0.03  # safe to repair: the check letter is still there
_LETTER_LOST_TOO: Final = 0.005
_EXPONENT: Final = 0.003
_SERIAL: Final = 0.008
_RULE_TO_DATE: Final = 0.3  # of the rules that look like a date
_EPOCH: Final = 693594  # ordinal of the day a workbook counts from: 30 December 1899


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list, and in which version which of its cells a spreadsheet rewrote: heading -> what it says."""

    old_id: str
    new_id: str
    load: int
    rule: str
    decided_by: str
    decided_on: str  # DD/MM/YYYY
    damage: tuple[tuple[str, str], ...] = ()
    is_mended: bool = False  # in the last version

    def cells(self, *, after: bool, last: bool) -> dict[str, str]:
        """The line as a version says it: `after` the spreadsheet was opened, and in the `last` one."""
        cells = dict(
            zip(
                HEADER,
                (self.old_id, self.new_id, str(self.load), self.rule, self.decided_by, self.decided_on),
                strict=True,
            )
        )
        return {**cells, **dict(self.damage)} if after and not (last and self.is_mended) else cells


def write(world: World, supply: Path) -> None:
    """Write the versions below `supply`/cross_reference, a folder for each night, and log every damaged cell as D92.

    A council whose systems stay as they are has no such list: nothing is written.
    """
    plan = world.setting.cutover
    if plan is None:
        return
    rows = _damaged(world, plan, _rows(world, plan))
    for night in version_nights(plan):
        if night > world.nights:
            continue
        shown = [row for row in rows if _load_night(plan, row.load) <= night]
        after, last = night >= plan.go_live_night, night == plan.dual_running_until_night
        folder = supply / SYSTEM / f"night_{night}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"XREF_MICARE_LAS_{world.night_date(night):%Y%m%d}.csv"
        path.write_bytes(_encoded([row.cells(after=after, last=last) for row in shown]))


def release(supply: Path, night: int, inbox: Path) -> None:
    """Make the version of night `night` appear in `inbox`/cross_reference; most nights there is none."""
    target = inbox / SYSTEM
    target.mkdir(parents=True, exist_ok=True)
    folder = supply / SYSTEM / f"night_{night}"
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        shutil.copyfile(file, target / file.name)


def version_nights(plan: Cutover) -> tuple[int, ...]:
    """The nights on which a new version of the list is saved."""
    return tuple(sorted({*plan.trial_load_nights, plan.go_live_night, plan.dual_running_until_night}))


def _load_night(plan: Cutover, load: int) -> int:
    return plan.trial_load_nights[load - 1] if load <= len(plan.trial_load_nights) else plan.go_live_night


def _rows(world: World, plan: Cutover) -> list[Row]:
    """What the loads wrote down: the go-live ids for every load, except where a trial load's own id survived."""
    rng = defect_rng(world.seed, SYSTEM, "rows")
    last = len(plan.trial_load_nights) + 1
    typed = {a.key: a.references.get(plan.old, "") for a in world.appearances if a.system == plan.new}
    survivors = {(m.old_key, m.load_no): m.new_key for m in world.migration if 0 < m.load_no < last}
    rows = []
    for link in world.migration:
        if link.load_no != last:
            continue
        old = typed.get(link.new_key, "") if link.pattern == "wrong_link" else link.old_key
        rule, who = _RULES.get(link.pattern, "1-1"), rng.choice(_DECIDERS)
        for load in range(1, last + 1):
            new = survivors.get((link.old_key, load), link.new_key)
            day = world.night_date(_load_night(plan, load))
            rows.append(Row(old, new, load, rule, who, f"{day:%d/%m/%Y}"))
    return sorted(rows, key=lambda row: (row.load, row.old_id, row.new_id))


def _damaged(world: World, plan: Cutover, rows: list[Row]) -> list[Row]:
    rng = defect_rng(world.seed, SYSTEM, "spreadsheet")
    log = DefectLog(world.defects, SYSTEM)
    damaged: list[Row] = []
    final = len(plan.trial_load_nights) + 1
    for row in rows:
        row = _opened(rng, row, world.quality) if row.load == final else row
        if row.damage:
            row = replace(row, is_mended=rng.random() < 0.5)
            for heading, _ in row.damage:
                log.add("D92", "XREF_MICARE_LAS", row.old_id, heading, plan.go_live_night)
        damaged.append(row)
    return damaged


def _opened(rng: random.Random, row: Row, quality: float) -> Row:
    """The row after somebody opened the list in a spreadsheet and saved it."""
    cells: list[tuple[str, str]] = []
    chance = rng.random()
    if chance < _LETTER_LOST_TOO * quality:
        cells.append(("OLD_ID", row.old_id[:-1].lstrip("0")))
    elif chance < (_LETTER_LOST_TOO + _ZEROS_LOST) * quality:
        cells.append(("OLD_ID", row.old_id.lstrip("0")))
    if rng.random() < _EXPONENT * quality:
        cells.append(("NEW_ID", f"{int(row.new_id):.2E}"))
    if rng.random() < _SERIAL * quality:
        day, month, year = row.decided_on.split("/")
        cells.append(("DECIDED_ON", str(date(int(year), int(month), int(day)).toordinal() - _EPOCH)))
    if row.rule == "1-2" and rng.random() < _RULE_TO_DATE * quality:
        cells.append(("MATCH_RULE", "01-Feb"))
    elif row.rule == "2-1" and rng.random() < _RULE_TO_DATE / 10 * quality:
        cells.append(("MATCH_RULE", "02-Jan"))
    return replace(row, damage=tuple(cells))


def _encoded(lines: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode("cp1252")
