"""Notices about who is who are on record as a kind of their own, and who was given what can be listed (F36 to F38)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from governance.recipients import releases_showing, returns_from
from governance.store import Store
from linkage.notices import Notice, note_notice, notices
from onestory.cli import app
from onestory.recipients import rows_in
from statutory import stage as returns
from tests.support.linkage_council import LinkageCouncil
from tests.support.linkage_numbers import nhs_number
from tests.support.small_warehouse import CANARY, NIGHT_1, NIGHT_2, SmallWarehouse, everyday

IRIS = {"forename": "Iris", "surname": "Oakhampton", "birth_date": "1941-03-17", "sex": "2", "postcode": "AV1 1AA"}
FIRST, SECOND = {"nhs_number_supplied": nhs_number(1)}, {"nhs_number_supplied": nhs_number(2)}


@pytest.fixture
def database(unreleased: Profile) -> Profile:
    """Before the first release: these tests publish it themselves."""
    return unreleased


@pytest.fixture
def council(database: Profile, admin_url: str) -> Iterator[LinkageCouncil]:
    with LinkageCouncil(database, admin_url) as small:
        yield small


def note(council: LinkageCouncil, kind: str, one: str, other: str, **changes: str) -> RunResult:
    officers = {"reference": "IG 2026-14", "first_officer": "A. Officer", "second_officer": "B. Officer", **changes}
    context = RunContext(council.profile, "by hand", "A. Officer")
    return note_notice(context, Notice(kind, council.number(one), council.number(other), **officers))


def page_of(profile: Profile) -> list[str]:
    page = profile.home / "council.yml"
    page.write_text(
        f"""name: Test council
la_code: "990"
synthetic: true
warehouse_url: {profile.warehouse_url}
reporting_period: {{start: 2025-04-01, end: 2026-03-31}}
sources: {{}}
"""
    )
    return ["--profile", str(page)]


def test_f36_only_an_authorised_notice_joins_two_numbers_and_it_is_on_record_as_one(council: LinkageCouncil) -> None:
    council.put("carefirst:3", **IRIS, **FIRST)
    council.put("liquidlogic:7", **IRIS, **SECOND)
    council.link()
    left, right = council.person("carefirst:3"), council.person("liquidlogic:7")
    assert left != right
    for wrong in ({"second_officer": "a. officer "}, {"reference": " "}, {"first_officer": ""}):
        refused = note(council, "number_replaced", "carefirst:3", "liquidlogic:7", **wrong)
        assert (refused.state, refused.findings[0].code) == (RunState.REFUSED, "NOTICE_REFUSED")
    council.night(1)
    council.link()
    assert council.person("carefirst:3") != council.person("liquidlogic:7"), "what is refused joins nobody"

    assert note(council, "number_replaced", "carefirst:3", "liquidlogic:7").is_done
    council.link()
    assert council.person("carefirst:3") == council.person("liquidlogic:7")
    with Store(council.profile).connect("linker") as connection:
        (kept,) = notices(connection)
    assert (kept.notice.kind, {kept.left_person, kept.right_person}, kept.is_in_force) == (
        "number_replaced",
        {left, right},
        True,
    )
    on_record = council.one("select string_agg(state, ',' order by entry_id) from ledger.run where stage = 'notice'")
    assert on_record == "refused,refused,refused,done"


def test_f37_f38_a_split_notice_takes_back_what_a_merge_notice_joined_and_both_stay_on_record(
    council: LinkageCouncil,
) -> None:
    council.put("liquidlogic:7", **IRIS, **FIRST)
    council.put("liquidlogic:8", **IRIS | {"forename": "Olive", "postcode": "AV7 7AA"})
    council.link()
    before = council.partition()
    assert note(council, "merged", "liquidlogic:7", "liquidlogic:8").is_done
    council.night(1)
    council.link()
    assert council.partition() == {frozenset({"liquidlogic:7", "liquidlogic:8"})}
    assert note(council, "split", "liquidlogic:8", "liquidlogic:7", reference="IG 2026-15").is_done
    council.night(2)
    council.link()
    assert council.partition() == before
    assert council.pair("liquidlogic:7", "liquidlogic:8")[2] != "contradicting_decisions"
    with Store(council.profile).connect("linker") as connection:
        told = [(kept.notice.kind, kept.is_in_force) for kept in notices(connection)]
    assert told == [("merged", False), ("split", True)]


def test_pro_3_a_protected_record_is_never_joined_by_a_notice(council: LinkageCouncil) -> None:
    council.put("carefirst:3", **IRIS, **FIRST)
    council.put("liquidlogic:7", **IRIS | {"is_restricted": True}, **SECOND)
    refused = note(council, "number_replaced", "carefirst:3", "liquidlogic:7")
    assert refused.state is RunState.REFUSED and "protected" in refused.findings[0].message
    assert council.one("select count(*) from ledger.notice") == council.one("select count(*) from identity.decision")
    assert note(council, "split", "carefirst:3", "liquidlogic:7").is_done, "taking apart is always allowed"


def test_f38_after_a_split_every_release_and_return_that_held_the_parted_person_is_listed(
    database: Profile, admin_url: str
) -> None:
    with SmallWarehouse(database, admin_url) as warehouse:
        everyday(warehouse)
        assert warehouse.build().is_done
        context = RunContext(database, "a run", "an officer")
        prepared = returns.run(context)
        warehouse.night(NIGHT_1)
        warehouse.person("person-parted", "systmone:S1")
        assert warehouse.build().is_done
        warehouse.night(NIGHT_2)
        warehouse.person("person-new", "liquidlogic:L9", nhs_number="9990000026")
        assert warehouse.build().is_done

    with Store(database).connect("auditor") as connection:
        parted = [
            (s.release, s.shown_as, s.records, s.elsewhere_now) for s in releases_showing(connection, "person-parted")
        ]
        shared = [
            (s.release, s.shown_as, s.records, s.elsewhere_now) for s in releases_showing(connection, "person-ada")
        ]
        latest = [s.release for s in releases_showing(connection, "person-new")]
        (given,) = returns_from(connection, {1})
        assert returns_from(connection, {2}) == ()
    assert parted == [(1, "person-ada", 1, 1), (2, "person-parted", 1, 0), (3, "person-parted", 1, 0)]
    assert shared == [
        (1, "person-ada", 2, 1),
        (2, "person-ada", 1, 0),
        (2, "person-parted", 1, 0),
        (3, "person-ada", 1, 0),
        (3, "person-parted", 1, 0),
    ]
    assert latest == [3]
    sent = Path(prepared.facts["path"]).read_text(encoding="utf-8")
    of_ada = sum("person-ada" in line for line in sent.splitlines())
    assert of_ada > 0 and rows_in(given, {"person-ada"}) == of_ada
    assert rows_in(given, {"person-new"}) == 0

    told = CliRunner().invoke(app, ["recipients", "person-parted", *page_of(database)])
    assert told.exit_code == 0, told.output
    assert "client_level_data" in told.output and "person-ada" in told.output
    for secret in (CANARY, "9990000018", "1950-05-17", "S1", "L1"):
        assert secret not in told.output
    Path(prepared.facts["path"]).write_text("altered", encoding="utf-8")
    assert rows_in(given, {"person-ada"}) is None, "of a file that was altered nothing is said"
    assert "no release has shown" in CliRunner().invoke(app, ["recipients", "nobody", *page_of(database)]).output


def test_a_notice_is_noted_and_listed_on_the_command_line_without_any_value_of_a_person(
    council: LinkageCouncil,
) -> None:
    council.put("carefirst:3", **IRIS, **FIRST)
    council.put("liquidlogic:7", **IRIS, **SECOND)
    council.link()
    numbers = [str(council.number(name)) for name in ("carefirst:3", "liquidlogic:7")]
    page, runner = page_of(council.profile), CliRunner()
    adding = ["notice", "add", "number_replaced", *numbers, "--reference", "IG 14", "--first", "A", *page]
    assert runner.invoke(app, [*adding, "--second", "A"]).exit_code == 4
    assert runner.invoke(app, [*adding, "--second", "B"]).exit_code == 0
    listed = runner.invoke(app, ["notice", "list", *page]).output
    assert "number_replaced" in listed and "IG 14" in listed
    for secret in (nhs_number(1), nhs_number(2), "Oakhampton", "1941"):
        assert secret not in listed
