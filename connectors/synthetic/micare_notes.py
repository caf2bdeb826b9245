"""Headings of notes and documents of the simulated MiCare, and its list of codes.

An older program writes the headings, in code page 850. Staff put former surnames and other systems' numbers into them,
because the client's file has no field for either.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from connectors.synthetic.casework import CHILDREN_TEAM, TEAMS, WORKERS
from connectors.synthetic.micare_codes import described_codes
from connectors.synthetic.micare_file import FOREVER, Draws, Dump, day, spans
from connectors.synthetic.micare_people import People, number_of, opened_on, until
from connectors.synthetic.world import World

_SUBJECTS: Final = (
    ("CASENOTE", "Home visit"), ("CASENOTE", "Telephone call from family"), ("LETTER", "Letter to GP"),
    ("FORM", "Financial assessment form"), ("CASENOTE", "Joint visit with district nurse"),
    ("LETTER", "Café club: invitation"), ("FORM", "Résumé of needs"), ("CASENOTE", "Müller House: day care visit"),
)  # fmt: skip
#: The night a clerk rewords two descriptions: labels are edited about twice a year (D84).
_RELABELLED_NIGHT: Final = 3
_RELABELLED: Final = (("OUTCOME", "T09"), ("ROUTE", "R04"))


def worker_for(draws: Draws, table: str, key: str) -> tuple[str, str]:
    """The team and worker of one piece of work; in one of a hundred a worker nobody lists (D86)."""
    number = draws.below(WORKERS, "worker", key)
    team = TEAMS[number % len(TEAMS)][0]
    if draws.hits("D86c", key):
        draws.note("D86", table, key, "WORKER")
        return team, f"W{9_000 + number}"
    return team, worker_number(str(number + 1))


def worker_number(number: str) -> str:
    """A worker as MiCare knows them: W and four digits; empty for nobody."""
    return f"W{int(number):04d}" if number else ""


def write_notes(world: World, people: People, dump: Dump, draws: Draws) -> None:
    """Add the headings of notes: ordinary ones, former surnames, numbers of other systems."""
    for record in people.by_key.values():
        base, opened, nights = (
            number_of(record) * 100,
            opened_on(world, record, draws),
            (record.recorded_night, until(record)),
        )
        for place in range(draws.below(6, "notes", record.key) if record.role == "client" else 0):
            key = str(base + 20 + place)
            kind, subject = _SUBJECTS[draws.below(len(_SUBJECTS), "subject", key)]
            written = opened + timedelta(days=draws.below(max(1, (world.first_night - opened).days), "note", key))
            _, worker = worker_for(draws, "NOTEHDR", f"note:{key}")
            subject = draws.damaged(subject, "NOTEHDR", "SUBJECT", key)
            row = (key, record.key, kind, day(written), subject, worker, str(1 + draws.below(12, "pages", key)))
            dump.add("NOTEHDR", *nights, row)
        for first, last in spans(*nights, record.versions):
            former = (record.as_of(first) or {}).get("previous_surname", "")
            if former:
                dump.add("NOTEHDR", first, last, (str(base), record.key, "FNAME", day(opened), former.upper(), "", ""))
        for place, (system, other) in enumerate(sorted(record.references.items()), start=1):
            row = (str(base + place), record.key, "EXTNO", day(opened), f"{system.upper()} {other}", "", "")
            dump.add("NOTEHDR", *nights, row)


def write_codes(world: World, dump: Dump, draws: Draws) -> None:
    """Add the list of codes with teams and workers; the row of the batch itself is added when a night is released."""
    for team, name in (*TEAMS, CHILDREN_TEAM):
        dump.add("CODES", 0, FOREVER, ("TEAM", team, name, "Y"))
    for number in range(1, WORKERS + 1):
        worker = worker_number(str(number))
        dump.add("CODES", 0, FOREVER, ("WORKER", worker, f"Worker {worker}", "Y"))
    for code_set, value, meaning in described_codes():
        if (code_set, value) in _RELABELLED and world.nights >= _RELABELLED_NIGHT:
            draws.note("D84", "CODES", f"{code_set}:{value}", "DESCRIPTION", _RELABELLED_NIGHT)
            dump.add("CODES", 0, _RELABELLED_NIGHT, (code_set, value, meaning, "Y"))
            dump.add("CODES", _RELABELLED_NIGHT, FOREVER, (code_set, value, f"{meaning} (see guidance)", "Y"))
        else:
            dump.add("CODES", 0, FOREVER, (code_set, value, meaning, "Y"))
