"""A tiny council of two sources, CareFirst and MiCare, with real deliveries: faults of rows and of people go in here.

Night 0 is without fault and is published; every test begins with a copy of it, has the fault arrive on night 1 and the
right value on night 2. What a run without the fault leads to is told by `straight`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from connectors import conform
from connectors import stage as landing
from connectors.synthetic.keys import person_key
from domain.profile import Profile, SourceSettings
from domain.run import RunContext, RunResult, RunState
from expectations import stage as checking
from governance.store import Store
from linkage import stage as linking
from tests.support import carefirst_world as carefirst
from tests.support import micare_world as micare
from tests.support.linkage_numbers import nhs_number
from tests.support.survival import Survival, canonical_dump
from warehouse import stage as building

SOURCES = ("carefirst", "micare")
NIGHTS = 3
#: Forename, surname, birth date, postcode. The first four are in both systems, two in CareFirst, two in MiCare only.
PEOPLE = (
    ("Winifred", "Quennellzz", "1931-02-11", "AR1 2AB"),
    ("Bartholomew", "Oakhamptonzz", "1944-08-30", "AR2 3CD"),
    ("Rosalind", "Pettigrewzz", "1952-12-01", "AR3 4EF"),
    ("Thaddeus", "Yarrowbyzz", "1939-05-19", "AR4 5GH"),
    ("Clementine", "Mottramzz", "1960-10-23", "AR5 6JL"),
    ("Ignatius", "Brackleyzz", "1947-01-07", "AR6 7NP"),
    ("Philippa", "Vandermeerzz", "1955-06-14", "AR7 8QR"),
    ("Leopold", "Xanthoszz", "1936-03-28", "AR8 9ST"),
)
CARED_FOR = {"carefirst": range(1, 7), "micare": (1, 2, 3, 4, 7, 8)}
#: Names are told neither in the ledger nor in a release nor in a return.
CANARIES = tuple(form for _, name, _, _ in PEOPLE for form in (name, name.upper()))
_OWN = (
    *("event_id", "referral_event_id", "known_from", "known_to", "as_known_at", "release", "version_id", "row_digest"),
    *("digest", "published_at", "landed_version_id", "source_record_id"),
)
_FOR_OFFICERS = "returns.person"  # who people are, for the return and nobody else
_NOT_FACTS = "version_id,landed_version_id,landed_file_id,landed_line,row_digest,known_from"


def key(source: str, number: int) -> str:
    """The supplier's key of person `number`."""
    return person_key(source, number)  # type: ignore[arg-type]


def _world() -> Any:
    people, records, events = [], [], []
    for number, (forename, surname, born, postcode) in enumerate(PEOPLE, 1):
        told = {"forename": forename, "surname": surname, "birth_date": born, "nhs_number": nhs_number(number)}
        told["middle_names"] = ""
        home = [carefirst.address(postcode=postcode)]
        people.append(carefirst.person(number, nhs_number=nhs_number(number)))
        for source, make in (("carefirst", carefirst), ("micare", micare)):
            if number in CARED_FOR[source]:
                records.append(make.record(number, fields=told, addresses=home))
                place = number + (100 if source == "micare" else 0)
                events.append(make.event(place, "request", of=number))
                events.append(make.event(place + 200, "service", of=number))
    return carefirst.world(people, records, events, nights=NIGHTS)


@dataclass(frozen=True, slots=True)
class Night:
    """How the stages of one night ended; `of` finds the result of a stage and a source."""

    results: tuple[RunResult, ...]

    def of(self, stage: str, source: str = "") -> RunResult:
        return next(r for r in self.results if (r.stage, r.scope) == (stage, source))

    def codes(self) -> set[str]:
        return {finding.code for result in self.results for finding in result.findings}


class RowSurvival(Survival):
    """The points of survival; names belong into the officers' view of people, and so are no leak there."""

    def leaks(self, told: Iterable[str] = ()) -> list[str]:
        return [place for place in super().leaks(told) if place != _FOR_OFFICERS]


class RowCouncil:
    """A council at home in a folder; `profile` names its warehouse."""

    def __init__(self, profile: Profile) -> None:
        options = {s: {"inbox": str(profile.home / "inbox" / s)} for s in SOURCES}
        self.profile = replace(profile, sources=tuple(SourceSettings(s, s, options[s]) for s in SOURCES))
        self.carefirst, self.micare = carefirst.Desk(profile.home), micare.Desk(profile.home)

    def prepare(self) -> None:
        """Have the suppliers make all nights."""
        made = _world()
        self.carefirst.write(made)
        self.micare.write(made)

    def arrive(self, night: int) -> None:
        self.carefirst.release(night)
        self.micare.release(night)

    def take_in(self, night: int, *sources: str) -> Night:
        """Land, check and conform; every row read has a fate."""
        results = []
        for source in sources or SOURCES:
            context = RunContext(self.profile, f"night-{night}", "test", source=source)
            results += [stage.run(context) for stage in (landing, checking, conform)]
        return Night(tuple(results))

    def publish(self, night: int) -> Night:
        """Link and build."""
        context = RunContext(self.profile, f"night-{night}", "test")
        return Night((linking.run(context), building.run(context)))

    def whole(self, night: int, spoil: Callable[[RowCouncil], None] | None = None) -> Night:
        """A night from its arrival to its release; `spoil` changes what has arrived."""
        self.arrive(night)
        if spoil:
            spoil(self)
        taken = self.take_in(night)
        made = Night((*taken.results, *self.publish(night).results))
        assert [r.state for r in made.results] == [RunState.DONE] * 8, [r for r in made.results if not r.is_done]
        return made

    def change(self, table: str, person: int, column: str, value: str, night: int = 1) -> None:
        """Put another value into CareFirst's row of a person (the first one of a table)."""
        path, own = self.carefirst.file(table, night), key("carefirst", person)
        header, *lines = path.read_bytes().decode("cp1252").splitlines()
        names = header.split("|")
        place = next(n for n, line in enumerate(lines) if line.split("|")[names.index("PERSON_ID")] == own)
        cells = lines[place].split("|")
        cells[names.index(column)] = value
        lines[place] = "|".join(cells)
        self.carefirst.tamper(table, "".join(f"{line}\n" for line in (header, *lines)).encode("cp1252"), night)

    def retype(self, person: int, night: int, **columns: str) -> None:
        """Change columns of MiCare's row of a person."""
        header, *lines = self.micare.lines("CLIENT", night)
        names, own = header.split("\t"), key("micare", person)
        for place, line in enumerate(lines):
            cells = line.split("\t")
            if cells[names.index("CLIENT_NO")] == own:
                for column, value in columns.items():
                    cells[names.index(column)] = value
                lines[place] = "\t".join(cells)
        self.micare.put("CLIENT", [header, *lines], night)

    def ask(self, query: str, role: str = "loader") -> list[dict[str, Any]]:
        with Store(self.profile).connect(role) as connection:
            return [dict(row) for row in connection.exec_driver_sql(query).mappings()]

    def survival(self, *planted: str) -> RowSurvival:
        return RowSurvival(self.profile, (*CANARIES, *planted))

    def groups(self) -> dict[str, str]:
        """Person id -> the names of the records that are this person now."""
        found: dict[str, list[str]] = {}
        for row in self.ask(_MEMBERS, "linker"):
            found.setdefault(str(row["person_id"]), []).append(str(row["name"]))
        return {person: "+".join(sorted(names)) for person, names in found.items()}

    def person(self, source: str, number: int) -> str:
        """The id of the person a record belongs to now."""
        name = f"{source}:{key(source, number)}"
        return next(person for person, names in self.groups().items() if name in names.split("+"))

    def record(self, source: str, number: int) -> int:
        """The internal number of a record."""
        query = f"""select source_record_id from identity.source_record
                     where source = '{source}' and source_person_key = '{key(source, number)}'"""
        return int(self.ask(query)[0]["source_record_id"])

    def dump(self) -> dict[str, list[str]]:
        """Everything of both sources with its history, the people, and what is held (see `canonical_dump`)."""
        landed = {f"{s} {name}": lines for s in SOURCES for name, lines in canonical_dump(self.profile, s).items()}
        return landed | self.people_now()

    def now(self) -> dict[str, list[str]]:
        """What is believed and shown now: facts only, not since when, not how often it was sent."""
        tables = self.ask(_TABLES_NOW)
        told = {}
        for name in (row["name"] for row in tables):
            live = " and not is_removed" if name.startswith("landing.") else ""
            lines = self.ask(
                f"select (to_jsonb(t) - string_to_array('{_NOT_FACTS}', ','))::text as line from {name} t"
                f" where known_to is null{live}"
            )
            told[name] = sorted(row["line"] for row in lines)
        held = self.ask("select dataset || ' ' || rule as line from quarantine.held_row where state = 'held'")
        return told | {"held": sorted(row["line"] for row in held)} | self.people_now("value_sources")

    def people_now(self, *without: str) -> dict[str, list[str]]:
        """Who is one person with which details, and every view of the release, under names instead of our numbers.

        Of two sources that say the same the one that said it last is named, which is history: `without` leaves it out.
        """
        groups = self.groups()
        details = self.ask("select to_jsonb(d) as d from identity.person_detail d where known_to is null", "linker")
        told = {"person details": sorted(_named(row["d"], groups, (*_OWN, *without)) for row in details)}
        for view, rows in self.shown().items():
            told[f"release.{view}"] = sorted(_named(row, groups, _OWN) for row in rows)
        return told

    def shown(self, release: int | None = None) -> dict[str, list[dict[str, Any]]]:
        """Every view of a release with its rows, as an analyst sees them."""
        with Store(self.profile).snapshot("analyst", "planning", release) as connection:
            views = connection.exec_driver_sql(_VIEWS).scalars().all()
            query = "select to_jsonb(t) from release.{} t order by t::text"
            return {view: list(connection.exec_driver_sql(query.format(view)).scalars()) for view in views}


_VIEWS = "select table_name from information_schema.tables where table_schema = 'release' order by 1"
_MEMBERS = """select m.person_id, r.source || ':' || r.source_person_key as name from identity.membership m
                join identity.source_record r using (source_record_id) where m.known_to is null"""
_TABLES_NOW = """select table_schema || '.' || table_name as name from information_schema.columns
                  where column_name = 'known_to' and (table_schema = 'payload'
                    or table_name ~ '^(source_|carefirst__|micare__)')
                    and table_schema in ('landing', 'identity', 'payload') order by 1"""


def _named(row: dict[str, Any], groups: dict[str, str], own: Iterable[str]) -> str:
    told = {k: groups.get(v, v) if isinstance(v, str) else v for k, v in row.items() if k not in own}
    return json.dumps(told, sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True)
class Straight:
    """What three nights without any fault lead to: with history, and what is believed and shown at the end."""

    dump: dict[str, list[str]]
    now: dict[str, list[str]]


@dataclass(frozen=True)
class FirstNight:
    """A council after a night without fault, to be copied for every test."""

    council: RowCouncil
    new_database: Callable[[str, str], str]

    def straight(self, home: Path, name: str) -> Straight:
        """Two more nights without fault."""
        council = self.copy(home, name)
        council.whole(1)
        council.whole(2)
        return Straight(council.dump(), council.now())

    def copy(self, home: Path, name: str) -> RowCouncil:
        """The same council in a warehouse and a home of its own."""
        origin = self.council.profile
        home.mkdir(parents=True, exist_ok=True)
        for folder in ("inbox", "supply"):
            shutil.copytree(origin.home / folder, home / folder, dirs_exist_ok=True)
        secret = home / "secret.key"
        shutil.copy2(origin.secret_file, secret)
        url = self.new_database(name, origin.warehouse_url.split("/")[3].split("?")[0])
        return RowCouncil(replace(origin, home=home, path=home / "council.yml", warehouse_url=url, secret_file=secret))


def first_night(cluster: Any, council: RowCouncil) -> FirstNight:
    """Runs night 0; the result is copied with `FirstNight.copy`."""

    def new_database(name: str, template: str) -> str:
        import psycopg

        with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
            connection.execute(f"create database {name} template {template}")
        return str(cluster.url(name))

    council.prepare()
    council.whole(0)
    return FirstNight(council, new_database)
