"""Reference files of the simulated CareFirst: workers, teams, providers and its own description of codes."""

from __future__ import annotations

from typing import Final

from connectors.synthetic.carefirst_codes import described_codes
from connectors.synthetic.carefirst_dump import FOREVER, Draws, Dump, padded
from connectors.synthetic.casework import CHILDREN_TEAM
from connectors.synthetic.casework import TEAMS as CASE_TEAMS
from connectors.synthetic.world import World

TEAMS: Final = (
    ("ADEAST", "Access and First Contact East"),
    ("OPEAS1", "Older People East 1"),
    ("OPEAS2", "Older People East 2"),
    ("LDEAST", "Learning Disability East"),
    ("MHEAST", "Mental Health East"),
    ("REABLE", "Reablement East"),
    ("HOSDIS", "Hospital Discharge East"),
    ("CARERS", "Carers East"),
)

FIRST_WORKER: Final = 3_001
_WORKERS: Final = 64
_FIRST_PROVIDER: Final = 20_001
_WORKER_NAMES: Final = ("Ash", "Beech", "Cedar", "Elder", "Hazel", "Maple", "Rowan", "Willow")
#: The night a clerk rewords two descriptions: labels are edited about twice a year (D84).
_RELABELLED_NIGHT: Final = 3
_RELABELLED: Final = (("OUTCOME", "INFO"), ("ROUTE", "COMM"))


def worker_for(draws: Draws, key: str) -> tuple[str, str]:
    """The worker and team of one piece of work; in one of a hundred a worker nobody lists (D86)."""
    number = draws.below(_WORKERS, "worker", key)
    team = TEAMS[number % len(TEAMS)][0]
    if draws.hits("D86c", key):
        draws.note("D86", "ACTIVITY", key, "WORKER_ID")
        return str(9_000 + number), team
    return str(FIRST_WORKER + number), team


def provider_ids(world: World) -> dict[str, str]:
    """CQC location id and name -> the supplier's provider id."""
    ids: dict[str, str] = {}
    for place, (name, location) in enumerate(world.providers, start=world.first_list_item):
        ids[location or name] = str(_FIRST_PROVIDER + place)
    return ids


def write_lists(world: World, dump: Dump, draws: Draws) -> None:
    """Add the rows of the reference files to the dump."""
    for code, name in TEAMS:
        dump.add("TEAM", 0, FOREVER, (padded(code, "TEAM"), name, "Y"))
    for code, name in (*CASE_TEAMS, CHILDREN_TEAM) if world.setting.casework else ():
        dump.add("TEAM", 0, FOREVER, (padded(code, "TEAM"), name, "Y"))
    for number in range(_WORKERS):
        name = f"{_WORKER_NAMES[number % 8]} Worker {number // 8 + 1}".upper()
        team = padded(TEAMS[number % len(TEAMS)][0], "TEAM")
        dump.add("WORKER", 0, FOREVER, (str(FIRST_WORKER + number), name, team, "01-APR-2015", ""))
    for place, (name, location) in enumerate(world.providers, start=world.first_list_item):
        dump.add("PROVIDER", 0, FOREVER, (str(_FIRST_PROVIDER + place), name, location, "Y"))
    for code_set, code, meaning in described_codes():
        first_columns = (padded(code_set, "OBS"), padded(code, "CODE"))
        if (code_set, code) in _RELABELLED and world.nights >= _RELABELLED_NIGHT:
            draws.note("D84", "CODE", f"{code_set}:{code}", "DESCRIPTION", _RELABELLED_NIGHT)
            dump.add("CODE", 0, _RELABELLED_NIGHT, (*first_columns, meaning, "Y"))
            dump.add("CODE", _RELABELLED_NIGHT, FOREVER, (*first_columns, f"{meaning} (see guidance)", "Y"))
        else:
            dump.add("CODE", 0, FOREVER, (*first_columns, meaning, "Y"))
