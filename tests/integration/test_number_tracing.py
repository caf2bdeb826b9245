"""Number tracing against a simulated national service, judged by the truth: what is asked, taken, believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.nhs_number_trace import stage
from connectors.nhs_number_trace.layout import REQUEST, RESPONSE, read, write
from connectors.synthetic import national_index, tracing_service
from connectors.synthetic.generate import build_world
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import World
from domain.profile import Profile, SourceSettings
from domain.run import RunContext, RunResult, RunState
from governance import do_not_trace
from governance.secrets import make_secret
from governance.store import Store
from tests.support.linkage_council import LinkageCouncil

_SEX = {"M": "1", "F": "2", "I": "9"}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(SyntheticSettings(seed=91, scale=0.04, nights=0))


@pytest.fixture
def council(database: Profile, admin_url: str, world: World, tmp_path: Path) -> Iterator[LinkageCouncil]:
    service = SourceSettings(stage.SERVICE, stage.SERVICE, {"folder": "exchange/nhs_number_trace"})
    make_secret(database.secret_file)
    profile = replace(database, home=tmp_path, synthetic=True, exchanges=(service,))
    national_index.write(world, tmp_path / "supply")
    with LinkageCouncil(profile, admin_url) as small:
        yield small


def context(council: LinkageCouncil, run: str) -> RunContext:
    return RunContext(council.profile, run, "a test")


def spare(council: LinkageCouncil, record: str, **told: Any) -> RunResult:
    """Put a record on the do-not-trace list."""
    facts = {"officer": "C. Guardian", "reason": "an order", **told}
    return do_not_trace.spare(context(council, "list"), record, **facts)


def everybody(council: LinkageCouncil, world: World) -> dict[int, tuple[str, int]]:
    """Write every record of the world; its number -> (record, true person)."""
    known: dict[int, tuple[str, int]] = {}
    rows: list[dict[str, Any]] = []
    for appearance in world.appearances:
        fields = appearance.as_of(0)
        if fields is None or appearance.is_test:
            continue
        record = f"{appearance.system}:{appearance.key}"
        number = council.number(record)
        known[number] = (record, appearance.person_id)
        source, key = record.split(":", 1)
        held = [p for _, p in appearance.addresses_as_of(world.night_date(0)) if p.valid_to is None]
        rows.append(
            {
                "source_record_id": number, "source": source, "source_person_key": key,
                "forename": fields["forename"] or None, "middle_names": fields["middle_names"] or None,
                "surname": fields["surname"] or None, "nhs_number_supplied": fields["nhs_number"] or None,
                "nhs_number_verified": fields["nhs_number_verified"] == "Y" if fields["nhs_number"] else None,
                "birth_date": _day(fields["birth_date"]), "birth_date_estimated": fields["birth_date_estimated"] == "Y",
                "sex": _SEX.get(fields["sex"]), "postcode": held[-1].postcode if held else None,
                "gp_practice_code": fields["gp_practice_code"] or None, "is_restricted": appearance.is_restricted,
                "is_marked_duplicate": False,
            }
        )  # fmt: skip
    council.load(rows, [])
    return known


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def exchanged(council: LinkageCouncil, run: str) -> RunResult:
    """Ask, let the service answer, take."""
    profile = council.profile
    stage.ask(context(council, run))
    folder = profile.home / "exchange" / "nhs_number_trace"
    tracing_service.answer_all(profile.home / "supply", folder)
    return stage.take(context(council, f"{run}-taken"))


def right_links(council: LinkageCouncil, truth: dict[int, tuple[str, int]]) -> tuple[int, int, int]:
    """(linked pairs, right ones, true ones) over all records."""
    person_of = dict(truth.values())
    groups = [[person_of[r] for r in group if r in person_of] for group in council.partition()]
    everyone = list(person_of.values())
    true = sum(n * (n - 1) // 2 for n in (everyone.count(p) for p in set(everyone)))
    linked = sum(len(g) * (len(g) - 1) // 2 for g in groups)
    right = sum(g.count(p) * (g.count(p) - 1) // 2 for g in groups for p in set(g))
    return linked, right, true


def test_tracing_verifies_the_right_numbers_and_linking_gains_by_it(council: LinkageCouncil, world: World) -> None:
    truth = everybody(council, world)
    council.link()
    before = right_links(council, truth)
    result = exchanged(council, "trace-1")
    assert result.state is RunState.DONE, result.findings
    counts = result.counts
    asked = council.one("select asked from ledger.trace_request")
    assert asked == sum(counts[name] for name in ("verified", "clashing", "not_found", "unreadable", "unanswered"))
    assert counts["verified"] > 0.7 * asked
    numbers = {person.person_id: person.nhs_number for person in world.people}
    answers = council.connection.execute(
        "select source_record_id, matched_number from identity.trace_answer where status = '01' and known_to is null"
    ).fetchall()
    wrong = [record for record, number in answers if numbers[truth[record][1]] != number]
    assert len(answers) == counts["verified"]
    # Whoever copied a relative's number into a record may have it confirmed: the cross-check of 8.3 asks no more.
    assert len(wrong) <= 0.01 * len(answers), (len(wrong), len(answers))
    council.link()
    after = right_links(council, truth)
    assert after[1] > before[1], "no true pair was gained"
    assert after[1] / after[0] >= min(0.999, before[1] / before[0]), (before, after)


def test_a_superseded_number_is_replaced_and_does_not_make_two_people(council: LinkageCouncil, world: World) -> None:
    person = next(
        p for p in world.people if p.superseded_nhs_numbers and len(p.names) == 1
        and any(r.nhs_number == p.nhs_number for r in national_index.build(world))
    )  # fmt: skip
    name = person.names[-1]
    told = {
        "forename": name.forename, "surname": name.surname, "birth_date": person.birth_date,
        "sex": _SEX[person.sex], "nhs_number_verified": False,
    }  # fmt: skip
    council.put("systmone:1", **told, nhs_number_supplied=person.nhs_number)
    council.put("liquidlogic:2", **told, nhs_number_supplied=person.superseded_nhs_numbers[0])
    result = exchanged(council, "trace-1")
    assert (result.counts["verified"], result.counts["superseded"]) == (2, 1)
    assert council.connection.execute("select distinct nhs_number, status from identity.number_status").fetchall() == [
        (person.nhs_number, "01")
    ]
    council.link()
    assert council.person("systmone:1") == council.person("liquidlogic:2")


def test_two_identities_of_one_person_are_never_brought_together_by_tracing(
    council: LinkageCouncil, world: World
) -> None:
    """PRO-3: an invalidated number has no pointer to the new one."""
    truth = everybody(council, world)
    exchanged(council, "trace-1")
    council.link()
    reidentified = {p.person_id for p in world.people if "reidentified" in p.tags}
    assert reidentified
    person_of = dict(truth.values())
    mixed = [
        group for group in council.partition()
        if {person_of.get(r) for r in group} & reidentified and len({person_of.get(r) for r in group}) > 1
    ]  # fmt: skip
    assert mixed == []


def test_restricted_people_and_those_an_officer_names_are_never_asked_about(council: LinkageCouncil) -> None:
    someone = {"forename": "Iris", "surname": "Oakhampton", "birth_date": "1941-03-17", "sex": "2"}
    council.put("systmone:1", **someone, is_restricted=True)
    council.put("systmone:2", **someone)
    council.put("systmone:3", **someone)
    assert spare(council, "systmone:2").is_done
    result = stage.ask(context(council, "trace-1"))
    assert result.counts == {"asked": 1, "skipped": 1}
    content = next((council.profile.home / "exchange/nhs_number_trace/request").glob("*.csv")).read_bytes()
    assert [row["UNIQUE_REFERENCE"] for row in read(content, REQUEST, "")] == [str(council.number("systmone:3"))]


def test_pro_4_an_entry_of_the_do_not_trace_list_has_an_officer_a_reason_and_two_clocks_and_ends(
    council: LinkageCouncil,
) -> None:
    council.put("systmone:1", forename="Iris", surname="Oakhampton", birth_date="1941-03-17", sex="2")
    for wrong in ({"officer": " "}, {"reason": ""}, {"reason": "about 999 000 0018"}, {"until": date(2020, 1, 1)}):
        refused = spare(council, "systmone:1", **wrong)
        assert (refused.state, refused.findings[0].code) == (RunState.REFUSED, "LIST_REFUSED")
        assert "999" not in refused.findings[0].message
    assert spare(council, "systmone:nobody").state is RunState.REFUSED
    over = spare(council, "systmone:1", since=date(2026, 1, 1), until=date(2026, 3, 25))
    later = spare(council, "systmone:1", since=date(2026, 3, 27))
    assert over.is_done and later.is_done
    assert stage.ask(context(council, "between two orders")).counts == {"asked": 1, "skipped": 0}
    council.night(8)
    assert stage.take(context(council, "lapsed")).counts["unanswered"] == 1
    assert stage.ask(context(council, "ordered")).counts == {"asked": 0, "skipped": 1}
    assert do_not_trace.end(context(council, "nobody"), later.counts["entry"], officer="").state is RunState.REFUSED
    assert do_not_trace.end(context(council, "end"), later.counts["entry"], officer="D. Guardian").is_done
    assert do_not_trace.end(context(council, "again"), later.counts["entry"], officer="D. Guardian").state is (
        RunState.REFUSED
    )
    with Store(council.profile).connect("linker") as connection:
        first, ended = do_not_trace.entries(connection, only_in_force=False)
    assert (first.officer, first.known_to, ended.ended_by) == ("C. Guardian", None, "D. Guardian")
    assert ended.known_to is not None and ended.known_to >= ended.known_from
    assert stage.ask(context(council, "allowed again")).counts == {"asked": 1, "skipped": 0}


def test_pro_4_what_was_traced_before_ends_a_late_answer_is_not_taken_and_linking_goes_by_the_source_again(
    council: LinkageCouncil, world: World
) -> None:
    record = next(r for r in national_index.build(world) if not r.is_restricted)
    person = next(p for p in world.people if p.nhs_number == record.nhs_number)
    name, other = person.names[-1], {"surname": "Thornbury", "forename": "Una", "birth_date": "1975-02-03"}
    told = {
        "forename": name.forename, "surname": name.surname, "birth_date": person.birth_date,
        "sex": _SEX[person.sex], "nhs_number_supplied": person.nhs_number, "nhs_number_verified": False,
    }  # fmt: skip
    council.put("systmone:1", **told)
    council.put("systmone:2", **told | {"nhs_number_supplied": None})
    council.put("liquidlogic:7", **other, nhs_number_supplied=person.nhs_number)
    status = "select count(*) from identity.number_status where status = '01' and source_record_id = %s"
    exchanged(council, "trace-1")
    assert council.one(status, council.number("systmone:1")) == 1
    council.link()
    assert spare(council, "systmone:1").is_done
    assert council.one(status, council.number("systmone:1")) == 0, "at once, before any run of tracing"
    council.night(1)
    assert council.link().counts["changed_records"] == 1, "the next link run goes by the source again"

    council.put("systmone:2", **told | {"forename": "Ada"})
    assert stage.ask(context(council, "trace-2")).counts == {"asked": 1, "skipped": 1}
    assert spare(council, "systmone:2").is_done, "while the question is out"
    tracing_service.answer_all(council.profile.home / "supply", council.profile.home / "exchange/nhs_number_trace")
    assert stage.take(context(council, "late answer")).counts["unanswered"] == 1
    assert council.one("select count(*) from identity.trace_answer where known_to is null") == 0


def test_a_page_of_an_earlier_version_holds_tracing_until_its_lines_are_entered(council: LinkageCouncil) -> None:
    council.put("systmone:1", forename="Iris", surname="Oakhampton", birth_date="1941-03-17", sex="2")
    page = council.profile.home / "do_not_trace.txt"
    page.write_text("systmone:1\n", encoding="utf-8")
    held = stage.ask(context(council, "trace-1"))
    assert (held.state, [f.code for f in held.findings]) == (RunState.HELD, ["DO_NOT_TRACE_PAGE"])
    page.unlink()
    assert stage.ask(context(council, "trace-2")).counts["asked"] == 1


def test_an_answer_about_other_details_is_not_believed_and_a_missing_one_is_counted(council: LinkageCouncil) -> None:
    for key in ("1", "2", "3"):
        council.put(f"systmone:{key}", forename="Iris", surname=f"Oak{key}", birth_date="1941-03-17", sex="2")
    stage.ask(context(council, "trace-1"))
    folder = council.profile.home / "exchange" / "nhs_number_trace"
    request = next((folder / "request").glob("*.csv"))
    rows = read(request.read_bytes(), REQUEST, "")
    good = {
        "MATCHED_NHS_NO": "0000000000", "PERSON_ID": "A000000001", "MatchedAlgorithmIndicator": "4",
        "MatchedConfidencePercentage": "0", "ERROR_SUCCESS_CODE": "98",
    }  # fmt: skip
    answers = [rows[0] | good, rows[1] | good | {"FAMILY_NAME": "SOMEBODY ELSE"}]
    (folder / "response").mkdir()
    (folder / "response" / request.name).write_bytes(write(answers, RESPONSE))
    result = stage.take(context(council, "taken"))
    assert (result.counts["not_found"], result.counts["unanswered"]) == (1, 2)
    assert not request.exists(), "the open copy of the request is gone once it is answered"


def test_a_response_that_is_not_one_is_refused_whole_and_the_people_can_be_asked_about_again(
    council: LinkageCouncil,
) -> None:
    council.put("systmone:1", forename="Iris", surname="Oakhampton", birth_date="1941-03-17", sex="2")
    stage.ask(context(council, "trace-1"))
    folder = council.profile.home / "exchange" / "nhs_number_trace"
    request = next((folder / "request").glob("*.csv"))
    (folder / "response").mkdir()
    (folder / "response" / request.name).write_bytes(b"service not available\r\n")
    result = stage.take(context(council, "taken"))
    assert (result.state, [f.code for f in result.findings]) == (RunState.REFUSED, ["TRACE_FILE"])
    assert council.one("select count(*) from identity.trace_answer") == 0
    assert not list(folder.rglob("*.csv")), "no open copy of a refused exchange is left"
    assert stage.ask(context(council, "trace-2")).counts["asked"] == 1


def test_trace_files_are_sealed_and_gone_after_thirty_days(council: LinkageCouncil) -> None:
    council.put("systmone:1", forename="Iris", surname="Oakhampton", birth_date="1941-03-17", sex="2")
    exchanged(council, "trace-1")
    kept = sorted((council.profile.home / "sealed").rglob("*.*"))
    assert [path.suffix for path in kept] == [".request", ".response"]
    assert not any(b"OAKHAMPTON" in path.read_bytes().upper() for path in kept)
    assert {oct(path.stat().st_mode & 0o777) for path in kept} == {"0o600"}
    council.night(29)
    assert stage.take(context(council, "early")).counts["disposed"] == 0
    council.night(30)
    assert stage.take(context(council, "late")).counts["disposed"] == 1
    assert not any(path.exists() for path in kept)
    assert council.one("select disposed_at is not null from ledger.trace_request")


def test_an_answer_is_stale_once_the_details_it_was_about_have_changed(council: LinkageCouncil, world: World) -> None:
    record = next(r for r in national_index.build(world) if not r.is_restricted)
    person = next(p for p in world.people if p.nhs_number == record.nhs_number)
    name = person.names[-1]
    council.put(
        "systmone:1", forename=name.forename, surname=name.surname, birth_date=person.birth_date,
        sex=_SEX[person.sex], nhs_number_supplied=person.nhs_number, nhs_number_verified=False,
    )  # fmt: skip
    exchanged(council, "trace-1")
    status = "select status from identity.number_status"
    assert council.one(status) == "01"
    council.night(1)
    council.put(
        "systmone:1", forename="Somebody", surname="Else", birth_date="1950-01-02", sex="1",
        nhs_number_supplied=person.nhs_number, nhs_number_verified=False,
    )  # fmt: skip
    assert council.one(status) == "02"


def test_a_request_nobody_answers_lapses_and_its_people_are_asked_about_again(council: LinkageCouncil) -> None:
    council.put("systmone:1", forename="Iris", surname="Oakhampton", birth_date="1941-03-17", sex="2")
    stage.ask(context(council, "trace-1"))
    request = next((council.profile.home / "exchange/nhs_number_trace/request").glob("*.csv"))
    council.night(6)
    assert stage.take(context(council, "early")).counts["waiting"] == 1
    assert stage.ask(context(council, "no second one")).counts["asked"] == 0
    council.night(7)
    lapsed = stage.take(context(council, "late")).counts
    assert (lapsed["waiting"], lapsed["unanswered"]) == (0, 1)
    assert not request.exists(), "no open copy is left behind"
    assert stage.ask(context(council, "trace-2")).counts["asked"] == 1
