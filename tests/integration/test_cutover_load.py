"""A synthetic city replaces its care system: a trial load beside the real index, and go-live judged by truth."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from typer.testing import CliRunner

from connectors.synthetic import cross_reference, liquidlogic, micare
from connectors.synthetic.generate import build_world
from connectors.synthetic.keys import event_key
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import World
from domain.profile import Profile, load_profile
from domain.run import RunContext
from governance.secrets import make_secret
from onestory.cutover import app, run_reconciliation
from tests.support.cutover_score import misses, scores
from warehouse.cutover.plan import plan_of
from warehouse.cutover.reconcile import Reconciliation

NAME = "council_cutover"
ZONES = ("landing", "identity", "payload", "core", "ledger", "quarantine")
KINDS = ("service", "request", "assessment", "review")
SOURCES = ("micare", "liquidlogic", "cross_reference")
SETTINGS = SyntheticSettings.of("manchester_like", nights=30, scale=0.05)


@dataclass(slots=True)
class City:
    """The council, its real warehouse and its suppliers."""

    home: Path
    world: World
    profile: Profile
    admin_url: str
    mart_admin_url: str

    def deliver(self, *nights: int) -> None:
        """Those nights' files arrive; the mart is as it was on the last of them."""
        for night in nights:
            micare.release(self.home / "supply", night, self.home / "inbox")
            cross_reference.release(self.home / "supply", night, self.home / "inbox")
        liquidlogic.rebuild_mart(self.home / "supply", nights[-1], self.mart_admin_url)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.admin_url) as connection:
            return connection.execute(query).fetchall()

    def digest(self) -> dict[str, tuple[int, str]]:
        """Rows and a digest of every table of the real warehouse."""
        tables = self.rows(
            "select schemaname || '.' || tablename from pg_tables "
            f"where schemaname = any(array{list(ZONES)}) order by 1"
        )
        query = "select '{0}', count(*), coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {0} t"
        return {
            str(name): (int(rows), str(digest))
            for name, rows, digest in self.rows(" union all ".join(query.format(table) for (table,) in tables))
        }


@pytest.fixture(scope="module")
def city(cluster: Any, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    home = tmp_path_factory.mktemp("city")
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute(f"create database {NAME} template {migrated_template}")
        connection.execute(f"create database hdm_{NAME}")
    kind, first = SETTINGS.kind, SETTINGS.first_night
    assert kind.cutover is not None

    def on(night: int) -> str:
        return (first + timedelta(days=night)).isoformat()

    sources = {
        "micare": {"connector": "micare", "inbox": "inbox/micare", "archive_from": on(26)},
        "liquidlogic": {
            "connector": "liquidlogic",
            "url": cluster.url(f"hdm_{NAME}", "hdm_reader"),
            "live_from": on(kind.cutover.go_live_night),
            "legacy_id": "old_system:micare",
        },
        "cross_reference": {
            "connector": "cross_reference",
            "inbox": "inbox/cross_reference",
            "old": "micare",
            "new": "liquidlogic",
            # days of work: a night's extract tells of the day before
            "trial_loads": ", ".join(on(night - 1) for night in kind.cutover.trial_load_nights),
            "freeze_from": on(kind.cutover.freeze_night - 1),
            "live_from": on(kind.cutover.go_live_night - 1),
            "dual_running_until": on(kind.cutover.dual_running_until_night - 1),
        },
    }
    page = {
        "name": "City",
        "la_code": "993",
        "synthetic": True,
        "home": ".",
        "warehouse_url": cluster.url(NAME),
        "reporting_period": {"start": date(2024, 10, 1), "end": date(2025, 9, 30)},
        "sources": sources,
    }
    (home / "council.yml").write_text(yaml.safe_dump(page), encoding="utf-8")
    profile = load_profile(home / "council.yml")
    make_secret(profile.secret_file)
    world = build_world(SETTINGS)
    for door in (micare, liquidlogic, cross_reference):
        door.write(world, home / "supply")
    yield City(home, world, profile, cluster.url(NAME, "admin"), cluster.url(f"hdm_{NAME}", "admin"))


@pytest.fixture(scope="module")
def after(city: City, tried: str) -> Reconciliation:
    """The old system is closed: everything was taken into the real warehouse and reconciled."""
    city.deliver(10, 25, 27)
    for source in SOURCES:
        for stage in ("connectors.stage", "expectations.stage", "connectors.conform"):
            result = import_module(stage).run(RunContext(city.profile, "r", "t", source))
        assert result.counts, (source, result)
    for stage in ("linkage.stage", "warehouse.stage"):
        assert import_module(stage).run(RunContext(city.profile, "r", "t")).is_done
    plan = plan_of(city.profile)
    assert plan is not None
    found, _ = run_reconciliation(city.profile, plan)
    return found


@pytest.fixture(scope="module")
def tried(city: City) -> str:
    """What the command says of the first trial load; the real warehouse is the same before and after."""
    city.deliver(2, 3)
    before = city.digest()
    arguments = ["trial", "--load", "1", "--profile", str(city.home / "council.yml"), "--admin-url", city.admin_url]
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 3, answer.output
    assert city.digest() == before
    return answer.output


def test_a_trial_load_leaves_the_real_index_as_it_was_and_nothing_of_its_own_behind(city: City, tried: str) -> None:
    assert "one to one" in tried
    databases = {name for (name,) in city.rows("select datname from pg_database")}
    assert not {name for name in databases if "trial" in name}
    assert not (city.home / "scratch" / "cutover_1").exists()
    assert city.rows("select count(*) from identity.source_record") == [(0,)]


def test_the_pack_of_a_trial_has_a_row_for_every_check_and_the_list_behind_it(city: City, tried: str) -> None:
    folder = city.home / "reports" / "cutover" / "load_1"
    lines = list(csv.DictReader((folder / "checks.csv").open(encoding="utf-8")))
    assert len(lines) == 22
    assert {line["state"] for line in lines} == {"pass", "fail", "reported"}
    for line in lines:
        listed = folder / f"list_{line['check']}.csv"
        odd = list(csv.DictReader(listed.open(encoding="utf-8"))) if listed.exists() else []
        counted = {kind: sum(row["verdict"] == kind for row in odd) for kind in ("explained", "differs")}
        assert (counted["explained"], counted["differs"]) == (int(line["explained"]), int(line["unexplained"])), line
    page = (folder / "pack.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") or "<!doctype html>" in page[:200]
    assert "<script" not in page
    assert page.count("<caption>") == page.count("<table>") > 10
    assert 'lang="en-GB"' in page


def test_no_name_and_no_number_of_anybody_is_in_a_pack(city: City, after: Reconciliation) -> None:
    text = "\n".join(p.read_text(encoding="utf-8") for p in (city.home / "reports").rglob("*") if p.is_file())
    words = set(re.findall(r"[A-Za-z]+", text.upper()))
    surnames = {name.surname.upper() for person in city.world.people for name in person.names if len(name.surname) > 5}
    assert not {name for name in surnames if name in words}
    assert not re.search(r"(?<![0-9])999[0-9]{7}(?![0-9])", text)


def test_chi_1_the_list_says_nothing_of_children_but_how_many_rows_stayed_out(
    city: City, after: Reconciliation
) -> None:
    last = city.world.night_date(0)
    people = {person.person_id: person for person in city.world.people}
    children = {
        record.key
        for record in city.world.appearances
        if record.system == "micare" and (last - people[record.person_id].birth_date).days < 17 * 365
    }
    named = {key for (key,) in city.rows("select btrim(old_id) from landing.cross_reference__link")}
    assert len(children) > 20
    assert not named & children
    counted = city.rows("select sum(rows) from ledger.exclusion where reason = 'points_at_child'")
    assert counted[0][0] > 20


def test_every_pattern_of_the_migration_is_recognised_with_the_promised_precision_and_recall(
    city: City, after: Reconciliation
) -> None:
    found = scores(city.world, after.patterns)
    assert all(score.true for score in found.values()), "the council has every pattern"
    short = {
        name: (score.true, score.found, score.right)
        for name, score in found.items()
        if score.precision < (0.99 if score.true > 100 else 0.8) or score.recall < (0.99 if score.true > 100 else 0.9)
    }
    assert not short, misses(city.world, after.patterns)


def test_a_service_created_anew_is_joined_to_the_one_it_continues_and_keeps_its_start(
    city: City, after: Reconciliation
) -> None:
    told = {event.event_id: event for event in city.world.events}
    copies = [e for e in city.world.events if e.copy_of is not None and e.system == "liquidlogic" and e.kind in KINDS]
    holding = " union ".join(
        f"select n.event_key from core.event n join core.{kind} k using (event_id) where k.known_to is null"
        for kind in KINDS
    )
    held = {key for (key,) in city.rows(holding)}
    true = {(event_key(told[e.copy_of or 0]), event_key(e)) for e in copies}
    true = {(old, new) for old, new in true if old in held and new in held}
    joined = """select o.event_key, n.event_key from core.same_event s
                  join core.event o on o.event_id = s.same_as_event_id join core.event n on n.event_id = s.event_id
                 where s.known_to is null"""
    found = {(old, new) for old, new in city.rows(joined)}
    assert len(true) > 50
    assert len(found & true) >= 0.95 * len(true), sorted(true - found)[:10]
    assert len(found & true) >= 0.97 * len(found), sorted(found - true)[:10]
    starts = dict(
        city.rows("""select n.event_key, s.original_start_date from core.service s join core.event n using (event_id)
                      where s.known_to is null and s.original_start_date is not null""")
    )
    real = {
        event_key(e): told[e.copy_of].start_at.date() for e in city.world.events if e.copy_of and e.kind == "service"
    }
    assert len(starts) > 50
    assert sum(real.get(key) == start for key, start in starts.items()) >= 0.97 * len(starts)


def test_the_phase_of_a_day_can_be_asked(city: City) -> None:
    def phase(night: int) -> str:
        day = (SETTINGS.first_night + timedelta(days=night)).isoformat()
        answer = CliRunner().invoke(app, ["status", "--profile", str(city.home / "council.yml"), "--on", day])
        assert answer.exit_code == 0, answer.output
        return answer.output.split(": ")[1]

    phases = ["old system only", "trial loads", "freeze and cut-over", "dual running", "new system only", "archive"]
    assert [phase(night) for night in (0, 4, 9, 12, 26, 90)] == phases
