"""Deciding who is who on the command line: answers, contradictions, lists, and what a decision does beforehand.

One council, whose two people with care were released and reported as two; nothing shown holds a name, a birth date or
a number of anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from domain.profile import Profile
from domain.run import RunContext
from governance.recipients import events_of
from governance.store import Store
from linkage.answers import answers
from linkage.effects import Proposal, look
from linkage.inputs import Decision
from onestory import effects_shown
from onestory.cli import app
from statutory import stage as returns
from tests.support.linkage_council import LinkageCouncil
from tests.support.linkage_numbers import nhs_number
from tests.support.small_warehouse import SmallWarehouse

IRIS = {"forename": "Iris", "surname": "Oakhampton", "birth_date": "1941-03-17", "sex": "2", "postcode": "AV1 1AA"}
VERA = {"forename": "Vera", "surname": "Thornbury", "birth_date": "1941-03-17", "sex": "2", "postcode": "AV7 7AA"}
NUMBER = {"nhs_number_supplied": nhs_number(1)}
SECRETS = ("Iris", "Oakhampton", "Vera", "Thornbury", "1941", "AV1 1AA", nhs_number(1), nhs_number(2))
ONE, OTHER, THIRD = "liquidlogic:7", "liquidlogic:8", "systmone:1"
DONE, WAITS, REFUSED = 0, 3, 4


@pytest.fixture
def council(database: Profile, admin_url: str) -> Iterator[LinkageCouncil]:
    with LinkageCouncil(database, admin_url) as small:
        yield small


@pytest.fixture
def told_apart(council: LinkageCouncil, admin_url: str) -> LinkageCouncil:
    """Iris (two records) and Vera, both with care, were released as two and reported as two."""
    council.put(ONE, **IRIS, **NUMBER)
    council.put(THIRD, **IRIS, **NUMBER)
    council.put(OTHER, **VERA)
    council.night(5)  # later than what the settled council published
    council.link()
    with SmallWarehouse(council.profile, admin_url) as warehouse:
        warehouse.moment = council.moment
        for record in (ONE, OTHER):
            for kind in ("request", "assessment", "review", "service", "characteristic"):
                warehouse.event(kind, record, f"{kind}-{record}")
        warehouse.event("contact", THIRD, "contact-1", referral_event_key=None)
        assert warehouse.build().is_done
    returns.run(RunContext(council.profile, "a run", "an officer"))
    council.night(6)
    return council


def page_of(profile: Profile) -> Path:
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
    return page


def said(council: LinkageCouncil, *words: str) -> Result:
    """What a command says, in one line; never a value of a person."""
    result = CliRunner().invoke(app, [*words, "--profile", str(page_of(council.profile))])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert not [secret for secret in SECRETS if secret in result.output], result.output
    return result


def decide(council: LinkageCouncil, one: str, other: str, answer: str, by: str, *more: str) -> Result:
    return said(council, "decide", "pair", one, other, answer, "--by", by, "--reason", "both files seen", *more)


def words(result: Result) -> str:
    return " ".join(result.output.split())


def test_a_decision_is_recorded_listed_followed_and_taken_back_by_two_people(council: LinkageCouncil) -> None:
    council.put(ONE, **IRIS, **NUMBER)
    council.put(OTHER, **VERA)
    council.link()
    for wrong in (
        decide(council, ONE, "liquidlogic:nobody", "same", "Pat"),
        decide(council, ONE, nhs_number(1), "same", "Pat"),
        decide(council, ONE, ONE, "same", "Pat"),
        decide(council, ONE, OTHER, "same", " "),
        said(council, "decide", "pair", ONE, OTHER, "same", "--by", "Pat", "--reason", f"she is {nhs_number(2)}"),
    ):
        assert wrong.exit_code == REFUSED, wrong.output
    looked = decide(council, ONE, OTHER, "same", "Pat", "--dry-run")
    assert looked.exit_code == DONE and "two people become one" in words(looked)
    assert council.one("select count(*) from identity.decision") == 0, "only looked"
    assert decide(council, ONE, OTHER, "same", "Pat").exit_code == DONE, "nobody has seen the two: no question"
    assert decide(council, ONE, OTHER, "same", "pat").exit_code == REFUSED, "said before"
    council.link()
    assert council.person(ONE) == council.person(OTHER)
    listed = words(said(council, "decide", "list"))
    assert ONE in listed and OTHER in listed and "both files seen" in listed
    taking = ["decide", "withdraw", "1", "--reason", "wrong file", "--first", "Pat"]
    assert said(council, *taking, "--second", "PAT ").exit_code == REFUSED
    assert said(council, *taking, "--second", "Sam").exit_code == DONE
    assert said(council, *taking, "--second", "Sam").exit_code == REFUSED, "there is none in force any more"
    council.link()
    assert council.person(ONE) != council.person(OTHER)
    assert "no decision is in force" in said(council, "decide", "list").output
    assert "Pat and Sam: wrong file" in words(said(council, "decide", "list", "--withdrawn"))


def test_before_people_whom_readers_have_seen_are_joined_the_effects_are_shown_and_somebody_must_say_yes(
    told_apart: LinkageCouncil, monkeypatch: pytest.MonkeyPatch
) -> None:
    council, iris, vera = told_apart, told_apart.person(ONE), told_apart.person(OTHER)
    asked = decide(council, ONE, OTHER, "same", "Pat", "--second", "Sam")
    assert asked.exit_code == WAITS and "NOT_CONFIRMED" in asked.output
    told = words(asked)
    assert f"{vera} becomes part of {iris}" in told
    assert "records that move 1" in told
    assert "request 1, assessment 1, review 1, service 1, characteristic 1" in told
    assert f"{iris} in 1 release" in told and f"{vera} in 1 release" in told
    assert "told under another person: request 1, assessment 1, review 1, service 1" in told
    assert council.one("select count(*) from identity.decision") == 0

    monkeypatch.setattr(effects_shown, "is_terminal", lambda: True)
    runner = CliRunner()
    typed = ["decide", "pair", ONE, OTHER, "same", "--by", "Pat", "--reason", "seen", "--second", "Sam"]
    typed += ["--profile", str(page_of(council.profile))]
    assert runner.invoke(app, typed, input="n\n").exit_code == WAITS
    assert council.one("select count(*) from identity.decision") == 0
    alone = decide(council, ONE, OTHER, "same", "Pat", "--yes")
    assert alone.exit_code == REFUSED and "a second person has to agree" in words(alone)
    assert runner.invoke(app, typed, input="y\n").exit_code == DONE
    assert council.one("select second_reviewer from identity.decision") == "Sam"
    merged = council.link()
    assert council.person(OTHER) == iris and merged.counts["people_merged"] == 1, "as it was foretold"
    assert "ESTABLISHED_JOINED" not in {f.code for f in merged.findings}, "people decided it"

    parted = decide(council, ONE, OTHER, "not-same", "Kim", "--dry-run")
    assert "needs_attention" not in parted.output and "contradicts another decision" in words(parted)


def test_a_sent_return_names_its_rows_and_stays(told_apart: LinkageCouncil) -> None:
    council, vera = told_apart, told_apart.person(OTHER)
    sent = council.one("select facts ->> 'path' from ledger.prepared_return")
    before = Path(sent).read_bytes()
    council.connection.execute("update ledger.prepared_return set status = 'submission'")
    rows = sum(vera.encode() in line for line in before.splitlines())
    told = words(
        said(council, "notice", "add", "merged", ONE, OTHER, "--reference", "IG 1", "--first", "A", "--second", "B")
    )
    assert rows > 0 and f"{vera} {rows} rows" in told and "NOT_CONFIRMED" in told
    adding = ["notice", "add", "merged", ONE, OTHER, "--reference", "IG 1", "--first", "A", "--second", "B", "--yes"]
    assert said(council, *adding).exit_code == DONE
    council.link()
    assert Path(sent).read_bytes() == before
    listed = words(said(council, "notice", "list"))
    assert f"{ONE}, {OTHER}" in listed
    back = said(council, "notice", "withdraw", "1", "--reason", "other file", "--first", "A", "--second", "B")
    assert back.exit_code == WAITS and "one person is parted" in words(back), "to part them again is asked as well"


def test_f71_a_contradiction_waits_for_a_further_person_and_adjudicating_settles_it(council: LinkageCouncil) -> None:
    council.put(ONE, **IRIS, **NUMBER)
    council.put(OTHER, **VERA)
    council.link()
    assert said(council, "decide", "conflicts").exit_code == DONE
    assert decide(council, ONE, OTHER, "same", "Pat").exit_code == DONE
    warned = decide(council, OTHER, ONE, "not-same", "Sam")
    assert warned.exit_code == DONE and "contradicts another decision" in words(warned)
    assert council.link().is_done
    assert council.person(ONE) != council.person(OTHER), "what was believed stays"
    waiting = said(council, "decide", "conflicts")
    assert waiting.exit_code == WAITS and all(word in waiting.output for word in ("Pat", "Sam", ONE, OTHER))
    settling = ["decide", "adjudicate", ONE, OTHER, "same", "--reason", "both heard", "--by"]
    assert said(council, *settling, "sam").exit_code == REFUSED, "one of those who contradict each other"
    assert said(council, *settling, "Jo").exit_code == DONE
    assert said(council, *settling, "Jo").exit_code == REFUSED, "nothing waits any more"
    assert said(council, "decide", "conflicts").exit_code == DONE
    result = council.link()
    assert "DECISIONS_CONTRADICT" not in {finding.code for finding in result.findings}
    assert council.person(ONE) == council.person(OTHER)
    with Store(council.profile).connect("linker") as connection:
        kept = {a.reviewer: (a.withdrawn_at is None, a.withdrawn_by) for a in answers(connection, only_standing=False)}
    assert kept == {"Pat": (True, ""), "Sam": (False, "Jo"), "Jo": (True, "")}, "all stay on record"


def test_f71_a_contradiction_through_a_third_record_is_settled_by_one_answer(council: LinkageCouncil) -> None:
    council.put(ONE, **IRIS)
    council.put(OTHER, **VERA)
    council.put(THIRD, forename="Una", surname="Marsh", birth_date="1950-06-01", sex="2")
    council.link()
    for one, other, answer, who in ((ONE, OTHER, "same", "Pat"), (OTHER, THIRD, "same", "Sam")):
        assert decide(council, one, other, answer, who).exit_code == DONE
    assert decide(council, ONE, THIRD, "not-same", "Kim").exit_code == DONE
    council.link()
    assert len(council.partition()) == 3 and said(council, "decide", "conflicts").exit_code == WAITS
    settling = ["decide", "adjudicate", OTHER, THIRD, "not-same", "--reason", "heard", "--by"]
    assert said(council, *settling, "Kim").exit_code == REFUSED, "Kim is part of it, through the third record"
    assert said(council, *settling, "Jo").exit_code == DONE
    council.link()
    assert council.partition() == {frozenset({ONE, OTHER}), frozenset({THIRD})}
    assert said(council, "decide", "conflicts").exit_code == DONE


def test_a_notice_is_not_overruled_by_a_reviewer_and_a_protected_record_is_named_to_nobody(
    council: LinkageCouncil,
) -> None:
    council.put(ONE, **IRIS)
    council.put(OTHER, **VERA)
    council.put(THIRD, **IRIS, is_restricted=True)
    council.link()
    noting = ["notice", "add", "merged", ONE, OTHER, "--reference", "IG 2", "--first", "A", "--second", "B"]
    assert said(council, *noting).exit_code == DONE
    assert (
        said(council, "decide", "withdraw", "1", "--reason", "r", "--first", "A", "--second", "B").exit_code == REFUSED
    )
    assert decide(council, ONE, OTHER, "not-same", "Sam").exit_code == DONE
    settling = ["decide", "adjudicate", ONE, OTHER, "not-same", "--by", "Jo", "--reason", "heard"]
    overruled = said(council, *settling)
    assert overruled.exit_code == REFUSED and "notice 1 says otherwise" in words(overruled)
    protected = decide(council, ONE, THIRD, "same", "Pat")
    assert protected.exit_code == REFUSED and "no decision joins these two" in words(protected)
    assert decide(council, ONE, THIRD, "not-same", "Pat").exit_code == DONE, "apart is always allowed"
    listed = said(council, "decide", "list").output
    assert "(restricted)" in listed and THIRD not in listed


def test_pro_4_the_lists_are_held_on_the_command_line_and_parting_people_readers_have_seen_is_asked(
    told_apart: LinkageCouncil,
) -> None:
    council, iris = told_apart, told_apart.person(ONE)
    adding = ["do-not-link", "add", ONE, "--from", THIRD, "--officer", "C. Guardian", "--reason"]
    assert said(council, *adding, "").exit_code in (WAITS, REFUSED)
    asked = said(council, *adding, "order 5")
    assert asked.exit_code == WAITS and f"{iris} loses" in words(asked)
    assert "no entry is in force" in said(council, "do-not-link", "list").output
    assert said(council, *adding, "order 5", "--yes").exit_code == DONE
    council.link()
    assert council.person(ONE) != council.person(THIRD)
    assert "order 5" in words(said(council, "do-not-link", "list"))
    same = decide(council, ONE, THIRD, "same", "Pat", "--yes", "--second", "Sam")
    assert same.exit_code == REFUSED and "an officer keeps it apart" in words(same)
    ending = ["do-not-link", "withdraw", "1", "--officer", "C. Guardian", "--yes"]
    assert [said(council, *ending).exit_code for _ in range(2)] == [DONE, REFUSED]
    council.link()
    assert council.person(ONE) == council.person(THIRD)

    tracing = ["do-not-trace", "add", OTHER, "--officer", "C. Guardian", "--reason", "order 6"]
    assert said(council, *tracing, "--until", "2020-01-01").exit_code == REFUSED
    assert said(council, *tracing).exit_code == DONE
    assert "order 6" in words(said(council, "do-not-trace", "list"))
    assert said(council, "do-not-trace", "withdraw", "1", "--officer", "C. Guardian").exit_code == DONE
    assert "order 6" in words(said(council, "do-not-trace", "list", "--ended"))


def test_people_of_earlier_releases_joined_by_rule_are_told_listed_and_off_the_list_once_decided(
    told_apart: LinkageCouncil,
) -> None:
    council, iris, vera = told_apart, told_apart.person(ONE), told_apart.person(OTHER)
    assert said(council, "decide", "joined").exit_code == DONE
    council.put(OTHER, **IRIS, **NUMBER)  # the supplier found her number, and her right name
    council.put("carefirst:3", **IRIS, **NUMBER)  # somebody new: nobody had seen them
    result = council.link()
    assert council.person(OTHER) == iris
    (told,) = (f for f in result.findings if f.code == "ESTABLISHED_JOINED")
    assert told.message.startswith("1 people")
    waiting = said(council, "decide", "joined")
    assert waiting.exit_code == WAITS and all(w in waiting.output for w in (vera, iris, OTHER, "nhs_verified"))

    shown = council.connection.execute("select count(*) from identity.decision").fetchone()
    assert shown == (0,)
    pair = next(r for r in (ONE, THIRD, "carefirst:3") if r in waiting.output)
    assert decide(council, pair, OTHER, "same", "Pat").exit_code == DONE
    assert said(council, "decide", "joined").exit_code == DONE, "looked at"
    assert said(council, "decide", "withdraw", "1", "--reason", "r", "--first", "P", "--second", "S").exit_code == DONE
    assert said(council, "decide", "joined").exit_code == WAITS
    assert decide(council, pair, OTHER, "not-same", "Pat", "--second", "Sam", "--yes").exit_code == DONE
    council.link()
    assert council.person(OTHER) != council.person(pair), "reversible: they are two again"
    assert said(council, "decide", "joined").exit_code == DONE


def test_what_is_foretold_is_what_the_next_run_does_and_looking_stores_nothing(council: LinkageCouncil) -> None:
    for place in range(1, 7):
        council.put(
            f"carefirst:{place}", **IRIS | {"forename": f"Iris{'abcdef'[place - 1]}", "postcode": f"AV{place} 1AA"}
        )
    council.link()
    pairs = [(f"carefirst:{one}", f"carefirst:{one + 1}") for one in (1, 3, 5)]
    for one, other in pairs:
        left, right = sorted((council.number(one), council.number(other)))
        proposal = Proposal((left, right), (Decision(left, right, "same", "Pat"),))
        with Store(council.profile).connect("linker") as connection:
            foretold = look(connection, proposal, synthetic=True)
        was = {record: council.person(f"carefirst:{record}") for record in range(1, 7)}
        council.decide(one, other, "same")
        council.link()
        now = {record: council.person(f"carefirst:{record}") for record in range(1, 7)}
        moved = {(council.number(f"carefirst:{r}"), was[r], now[r]) for r in was if was[r] != now[r]}
        assert {(move.record, move.was, move.becomes) for move in foretold.moves} == moved
    with Store(council.profile).connect("publisher") as connection:
        assert events_of(connection, [1, 2], *council.profile.reporting_period) == ()
