"""The national opt-out check through a real message exchange: what is asked, what may be used, and what never is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.opt_out_list import stage
from connectors.opt_out_list.files import AnswerUnfit, RequestRefused, read_answer, write_request
from connectors.opt_out_list.mailbox import SERVICE
from connectors.synthetic.opt_out_service import answer_requests
from domain.profile import Profile, SourceSettings
from domain.run import RunContext, RunResult, RunState
from governance import opt_outs
from governance.secrets import make_secret
from governance.store import Store
from tests.support import mesh_server
from tests.support.linkage_council import LinkageCouncil
from tests.support.linkage_numbers import nhs_number

NUMBERS = [nhs_number(place) for place in range(1, 9)]
ANSWERS = "SPINE_NTT_UPHOLDING_RESPONSE"


@pytest.fixture(scope="module")
def exchange_address() -> Iterator[str]:
    with mesh_server.mesh_server() as address:
        yield address


@pytest.fixture
def council(
    database: Profile, admin_url: str, exchange_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LinkageCouncil]:
    monkeypatch.setenv("ONESTORY_MESH_PASSWORD", mesh_server.PASSWORD)
    monkeypatch.setenv("ONESTORY_MESH_SHARED_KEY", mesh_server.SHARED_KEY)
    options = {"url": exchange_address, "mailbox": mesh_server.OURS, "recipient": mesh_server.SERVICE}
    make_secret(database.secret_file)
    profile = replace(database, home=tmp_path, synthetic=True, exchanges=(SourceSettings(SERVICE, SERVICE, options),))
    for mailbox in (mesh_server.OURS, mesh_server.SERVICE):
        _empty(exchange_address, mailbox)
    with LinkageCouncil(profile, admin_url) as small:
        yield small


def _client(address: str, mailbox: str):
    from mesh_client import MeshClient

    return MeshClient(address, mailbox, mesh_server.PASSWORD, shared_key=mesh_server.SHARED_KEY.encode())


def _empty(address: str, mailbox: str) -> None:
    with _client(address, mailbox) as client:
        for message_id in client.list_messages():
            client.acknowledge_message(message_id)


def people(council: LinkageCouncil, numbers: list[str]) -> None:
    for place, number in enumerate(numbers):
        council.put(f"systmone:{place}", forename="Iris", surname=f"Oak{place}", nhs_number_supplied=number)


def run(council: LinkageCouncil, name: str = "check") -> RunResult:
    return stage.exchange(RunContext(council.profile, name, "a test"))


def service(council: LinkageCouncil, opted_out: set[str], invalid: set[str] | None = None) -> int:
    address = council.profile.exchange(SERVICE).options["url"]
    with _client(address, mesh_server.SERVICE) as client:
        return answer_requests(client, opted_out, mesh_server.OURS, ANSWERS, invalid or set())


def may_use(council: LinkageCouncil, numbers: list[str], days: float = 0) -> frozenset[str]:
    with Store(council.profile).connect("publisher") as connection:
        at = council.moment + timedelta(days=days)
        return opt_outs.usable(connection, council.profile, numbers, at)


def reconciled(council: LinkageCouncil) -> tuple[int, ...]:
    """asked, usable, removed, invalid, unanswered over every request that was not split."""
    row = council.connection.execute(
        """select sum(asked), sum(usable), sum(removed), sum(invalid), sum(unanswered) from ledger.opt_out_check
            where state <> 'split'"""
    ).fetchone()
    assert row is not None
    return tuple(int(value) for value in row)


def test_opt_4_only_a_matching_answer_makes_a_number_usable(council: LinkageCouncil) -> None:
    people(council, NUMBERS)
    council.put("systmone:unnumbered", forename="Olive", surname="Oak")
    council.put("systmone:unverified", nhs_number_supplied=nhs_number(99), nhs_number_verified=False)
    asked = run(council)
    assert (asked.state, asked.counts["asked"], asked.counts["without_number"]) == (RunState.DONE, 8, 2)
    assert may_use(council, NUMBERS) == frozenset(), "nothing was answered yet"
    assert service(council, {NUMBERS[0], NUMBERS[1]}) == 1
    taken = run(council, "again")
    assert (taken.counts["usable"], taken.counts["removed"], taken.counts["asked"]) == (6, 2, 0)
    assert may_use(council, [*NUMBERS, nhs_number(99)]) == frozenset(NUMBERS[2:])
    assert reconciled(council) == (8, 6, 2, 0, 0)


@pytest.mark.parametrize(("days", "is_usable"), [(6.99, True), (7, False), (7.01, False)])
def test_opt_4_an_answer_expires_at_its_age_limit(council: LinkageCouncil, days: float, is_usable: bool) -> None:
    people(council, NUMBERS[:1])
    run(council)
    service(council, set())
    run(council, "again")
    assert bool(may_use(council, NUMBERS[:1], days)) is is_usable


def test_f59_an_invalid_number_is_isolated_and_the_others_are_answered(council: LinkageCouncil) -> None:
    people(council, NUMBERS)
    run(council)
    for round_ in range(5):  # halves of halves: eight numbers need three more rounds
        service(council, {NUMBERS[3]}, invalid={NUMBERS[5]})
        run(council, f"round-{round_}")
    assert may_use(council, NUMBERS) == frozenset(NUMBERS) - {NUMBERS[3], NUMBERS[5]}
    assert reconciled(council) == (8, 6, 1, 1, 0)


def test_f57_a_silent_service_holds_the_check_and_makes_nothing_usable(
    council: LinkageCouncil, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(council, NUMBERS)
    silent = SourceSettings(
        SERVICE, SERVICE, {"url": "http://127.0.0.1:9", "mailbox": "X26ABC1", "recipient": "X26ABC2"}
    )
    profile = replace(council.profile, exchanges=(silent,))
    result = stage.exchange(RunContext(profile, "check", "a test"))
    assert (result.state, [f.code for f in result.findings]) == (RunState.HELD, ["MESH_SILENT"])
    assert may_use(council, NUMBERS) == frozenset()
    monkeypatch.setenv("ONESTORY_MESH_PASSWORD", "another")
    refused = run(council)
    assert (refused.state, [f.code for f in refused.findings]) == (RunState.HELD, ["MESH_REFUSED"])
    assert "another" not in str(refused)


def test_a_letter_that_fits_no_request_is_counted_and_believed_by_nobody(council: LinkageCouncil) -> None:
    people(council, NUMBERS[:2])
    address = council.profile.exchange(SERVICE).options["url"]
    with _client(address, mesh_server.SERVICE) as client:
        client.send_message(mesh_server.OURS, write_request(NUMBERS), workflow_id=ANSWERS, local_id="unknown")
    result = run(council)
    assert (result.counts["unfit"], result.counts["asked"]) == (1, 2)
    assert may_use(council, NUMBERS) == frozenset()


def test_opt_6_a_request_nobody_answers_lapses_and_its_numbers_are_asked_again(council: LinkageCouncil) -> None:
    people(council, NUMBERS[:3])
    run(council)
    (sent,) = (council.profile.home / "sealed").rglob("*.dat")
    council.night(3)
    result = run(council, "later")
    assert not sent.exists(), "what nobody answered is disposed of too"
    assert (result.counts["unanswered"], result.counts["asked"]) == (3, 3)
    assert may_use(council, NUMBERS[:3]) == frozenset()


def test_opt_5_the_zone_holds_no_number_and_only_the_publisher_may_ask_it(council: LinkageCouncil) -> None:
    people(council, NUMBERS)
    run(council)
    service(council, {NUMBERS[0]})
    run(council, "again")
    stored = council.connection.execute("select c::text from eligibility.checked_number c").fetchall()
    assert len(stored) == 8
    assert not any(number in row for (row,) in stored for number in NUMBERS)
    for role in ("analyst", "returns_officer", "linker", "auditor"):
        allowed = council.one(f"select has_table_privilege('onestory_{role}', 'eligibility.checked_number', 'select')")
        assert not allowed, role
    assert list((council.profile.home / "sealed").rglob("*.dat")) == [], "answered requests are disposed of"


def test_opt_3_a_request_is_one_number_a_line_with_a_comma_and_a_line_feed() -> None:
    assert write_request(NUMBERS[:2]) == f"{NUMBERS[0]},\n{NUMBERS[1]},\n".encode()
    with pytest.raises(ValueError, match="not ten digits"):
        write_request(["943 476 5919"])


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"invalid record", RequestRefused),
        (b"invalid record\n", RequestRefused),
        (b"9990000018,\n99900", AnswerUnfit),
        (b"9990000018,\r\n", RequestRefused),
        (b"9990000018,\n9990000018,\n", AnswerUnfit),
        (b"9990000034,\n", AnswerUnfit),
        (b"9990000018,\nerror\n", AnswerUnfit),
    ],
)
def test_an_answer_that_is_none_is_never_read_as_one(answer: bytes, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        read_answer(answer, frozenset({"9990000018", "9990000026"}))


def test_an_empty_answer_means_that_nobody_may_be_used() -> None:
    assert read_answer(b"", frozenset({"9990000018"})) == frozenset()
