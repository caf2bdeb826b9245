"""Quarantine: whole and encrypted going in, accounted for coming out, and only people may discard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.profile import Profile
from domain.run import RunState
from expectations.delivery import give_up
from expectations.quarantine import QuarantineError, discard, open_rows, overdue
from expectations.replay import release, replay
from expectations.stage import run
from governance.store import Store
from tests.integration.test_check_stage import account, ask, current, person, service
from tests.support.landed import check_context, land


def know_service_types(profile: Profile, *codes: str) -> None:
    with Store(profile).connect("loader") as connection:
        for code in codes:
            connection.exec_driver_sql(
                "insert into landing.code_map values ('liquidlogic', 'service_type', %s, 'Long term')",
                (code,),
            )


def land_services(profile: Profile, *services: dict[str, str | None], number: int = 0, mode: str = "full") -> int:
    return land(profile, number, {"liquidlogic__person": [person("1")], "liquidlogic__service": services}, mode=mode)


def held_ids(profile: Profile) -> list[int]:
    return [i for (i,) in ask(profile, "select held_id from quarantine.held_row where state = 'held' order by 1")]


def test_held_rows_open_to_the_original_and_are_unreadable_at_rest(database: Profile) -> None:
    original = service("10", "1", start_at="2025-02-30 00:00:00", provider_name="The Willows — «Ardenvale»")
    land_services(database, original)
    run(check_context(database, "liquidlogic"))
    ((content,),) = ask(database, "select content from quarantine.held_row")
    assert b"Willows" not in bytes(content)
    with Store(database).connect("loader") as connection:
        (row,) = open_rows(connection, database, "liquidlogic__service", held_ids(database))
    assert {k: v for k, v in row.content.items() if v is not None} == original
    assert row.line == 1


def test_held_rows_do_not_open_with_another_secret(database: Profile) -> None:
    land_services(database, service("10", "-1"))
    run(check_context(database, "liquidlogic"))
    database.secret_file.chmod(0o600)
    database.secret_file.write_bytes(b"x" * 32)
    with (
        Store(database).connect("loader") as connection,
        pytest.raises(QuarantineError, match="secret file"),
    ):
        open_rows(connection, database, "liquidlogic__service", held_ids(database))


def test_rows_with_an_unknown_service_type_are_loaded_by_themselves_after_a_mapping_fix(database: Profile) -> None:
    know_service_types(database, "LTC")
    land_services(database, service("10", "1"), service("11", "1", service_type_code="new "))
    run(check_context(database, "liquidlogic"))
    assert account(database, "liquidlogic__service") == {"read": 2, "inserted": 1, "quarantined": 1}
    know_service_types(database, "NEW")
    assert run(check_context(database, "liquidlogic")).counts["released"] == 1
    assert account(database, "liquidlogic__service") == {"read": 2, "inserted": 2}
    assert current(database, "liquidlogic__service") == {"10", "11"}


def test_replaying_on_request_tries_every_held_row_and_says_what_is_left(database: Profile) -> None:
    know_service_types(database, "LTC")
    broken = service("12", "1", start_at="2025-02-30 00:00:00")
    land_services(database, service("11", "1", service_type_code="NEW"), broken)
    run(check_context(database, "liquidlogic"))
    know_service_types(database, "NEW")
    result = replay(check_context(database, "liquidlogic"))
    assert result.state is RunState.QUARANTINED
    assert dict(result.counts) == {"tried": 2, "released": 1}
    assert ask(database, "select state, tries from quarantine.held_row order by line") == [("released", 1), ("held", 1)]


def test_two_equal_held_rows_end_as_one_inserted_and_one_duplicate(database: Profile) -> None:
    know_service_types(database, "LTC")
    new = service("11", "1", service_type_code="NEW")
    land_services(database, new, new)
    run(check_context(database, "liquidlogic"))
    assert account(database, "liquidlogic__service") == {"read": 2, "quarantined": 2}
    know_service_types(database, "NEW")
    run(check_context(database, "liquidlogic"))
    assert account(database, "liquidlogic__service") == {"read": 2, "inserted": 1, "duplicate": 1}


def test_a_row_replayed_late_does_not_overwrite_what_was_learnt_since(database: Profile) -> None:
    know_service_types(database, "LTC")
    land_services(database, service("11", "1", service_type_code="NEW"))
    land_services(database, service("11", "1"), number=1, mode="delta")
    run(check_context(database, "liquidlogic"))
    know_service_types(database, "NEW")
    run(check_context(database, "liquidlogic"))
    assert account(database, "liquidlogic__service") == {"read": 1, "superseded": 1}
    types = ask(database, "select service_type_code from landing.liquidlogic__service where known_to is null")
    assert types == [("LTC",)]


def test_a_held_row_counts_as_present_so_a_full_read_does_not_end_it(database: Profile) -> None:
    land_services(database, service("10", "1"), service("11", "1"))
    land_services(database, service("10", "1", start_at="2025-02-30 00:00:00"), number=1)
    run(check_context(database, "liquidlogic"))
    assert current(database, "liquidlogic__service") == {"10"}
    assert account(database, "liquidlogic__service", 1) == {"read": 1, "quarantined": 1, "closed_by_absence": 1}


def test_the_same_unmended_row_of_every_nightly_dump_is_held_once_and_counted_unchanged_after(
    database: Profile,
) -> None:
    for number in range(3):
        land_services(database, service("10", "2"), number=number)
    run(check_context(database, "liquidlogic"))
    assert ask(database, "select count(*) from quarantine.held_row") == [(1,)]
    assert account(database, "liquidlogic__service", 0) == {"read": 1, "quarantined": 1}
    assert account(database, "liquidlogic__service", 2) == {"read": 1, "unchanged": 1}
    tables = {"liquidlogic__person": [person("1"), person("2")], "liquidlogic__service": [service("10", "2")]}
    land(database, 3, tables, mode="full")
    run(check_context(database, "liquidlogic"))
    assert account(database, "liquidlogic__service", 3) == {"read": 1, "inserted": 1}
    assert "quarantined" not in account(database, "liquidlogic__service", 0)
    assert current(database, "liquidlogic__service") == {"10"}


def test_a_held_row_that_comes_changed_is_held_again(database: Profile) -> None:
    land_services(database, service("10", "2"))
    land_services(database, service("10", "2", provider_name="The Willows"), number=1)
    run(check_context(database, "liquidlogic"))
    assert len(held_ids(database)) == 2
    assert account(database, "liquidlogic__service", 1) == {"read": 1, "quarantined": 1}


def test_releasing_by_hand_needs_a_reason_and_loads_the_row_as_it_is(database: Profile) -> None:
    land_services(database, service("10", "1", start_at="2025-02-30 00:00:00"))
    context = check_context(database, "liquidlogic")
    run(context)
    with pytest.raises(QuarantineError, match="reason"):
        release(context, held_ids(database), reason=" ", decided_by="R. Chowdhury")
    assert release(context, held_ids(database), reason="date confirmed by phone", decided_by="R. Chowdhury") == 1
    assert account(database, "liquidlogic__service") == {"read": 1, "inserted": 1}
    decided = ask(database, "select state, state_reason, decided_by from quarantine.held_row")
    assert decided == [("released", "date confirmed by phone", "R. Chowdhury")]


def test_discarding_needs_two_different_people_and_moves_the_count_to_the_exclusions(database: Profile) -> None:
    land_services(database, service("10", "-1"), service("11", "-1"))
    run(check_context(database, "liquidlogic"))
    first, _ = held_ids(database)
    with pytest.raises(QuarantineError, match="two different people"):
        discard(database, [first], reason="typed by mistake", first="R. Chowdhury", second="r. chowdhury ")
    with pytest.raises(QuarantineError, match="reason"):
        discard(database, [first], reason="", first="R. Chowdhury", second="J. Hale")
    assert discard(database, [first], reason="typed by mistake", first="R. Chowdhury", second="J. Hale") == 1
    assert account(database, "liquidlogic__service") == {"read": 2, "quarantined": 1, "excluded_by_policy": 1}
    assert ask(database, "select reason, rows, cardinality(row_digests) from ledger.exclusion") == [("discarded", 1, 1)]
    assert discard(database, [first], reason="again", first="R. Chowdhury", second="J. Hale") == 0


def test_rows_held_for_long_raise_an_alarm_with_counts_only(database: Profile) -> None:
    land_services(database, service("10", "-1"), service("11", "-1"))
    run(check_context(database, "liquidlogic"))
    later = datetime.now(UTC) + timedelta(days=30)
    with Store(database).connect("loader") as connection:
        assert overdue(connection, now=later, older_than=timedelta(days=60)) == ()
        (finding,) = overdue(connection, now=later, older_than=timedelta(days=14))
    assert finding.message.startswith("2 rows of liquidlogic__service held by REQ-001 since")


def test_a_table_with_too_many_held_rows_holds_its_delivery_and_the_deltas_after_it(database: Profile) -> None:
    context = check_context(database, "liquidlogic")
    good = [service(str(n), "1") for n in range(100, 200)]
    bad = [service(str(n), "-1") for n in range(200, 230)]
    held = land_services(database, *good, *bad)
    land_services(database, service("300", "1"), number=1, mode="delta")
    result = run(context)
    assert result.state is RunState.HELD
    assert result.counts["held_deliveries"] == 2
    assert {finding.code for finding in result.findings} == {"CHECK-HELD", "CHECK-WAITS"}
    assert current(database, "liquidlogic__person") == set()
    assert ask(database, "select count(*) from ledger.row_account") == [(0,)]
    assert ask(database, "select state, code from ledger.delivery order by 1, 2") == [
        ("held", "CHECK-HELD"),
        ("held", "CHECK-WAITS"),
    ]
    accepted = run(check_context(database, "liquidlogic", accept_deliveries=str(held)))
    assert accepted.state is RunState.DONE
    assert account(database, "liquidlogic__service") == {"read": 130, "inserted": 100, "quarantined": 30}
    assert account(database, "liquidlogic__service", 1) == {"read": 1, "inserted": 1}


def test_a_table_that_is_mostly_wrong_is_refused_whoever_accepts_it_and_a_full_read_goes_past_it(
    database: Profile,
) -> None:
    wrong = land_services(database, *(service(str(n), "-1") for n in range(30)))
    land_services(database, service("300", "1"), number=1)
    result = run(check_context(database, "liquidlogic", accept_deliveries=str(wrong)))
    assert result.state is RunState.HELD
    assert ask(database, "select state, code from ledger.delivery order by as_known_at") == [
        ("held", "CHECK-REFUSED"),
        ("checked", ""),
    ]
    verdicts = ask(database, "select verdict from ledger.verdict order by landed_id")
    assert verdicts == [("accepted",), ("refused",), ("accepted",), ("accepted",)]


def test_a_held_delivery_that_is_given_up_lets_the_deltas_after_it_pass(database: Profile) -> None:
    context = check_context(database, "liquidlogic")
    wrong = land_services(database, *(service(str(n), "-1") for n in range(30)), mode="delta")
    land_services(database, service("300", "1"), number=1, mode="delta")
    assert run(context).counts["held_deliveries"] == 2
    with pytest.raises(QuarantineError, match="reason"):
        give_up(database, wrong, reason="", decided_by="R. Chowdhury")
    assert give_up(database, wrong, reason="sent again tomorrow", decided_by="R. Chowdhury")
    assert run(context).state is RunState.DONE
    assert current(database, "liquidlogic__service") == {"300"}
    assert not give_up(database, wrong, reason="again", decided_by="R. Chowdhury")


def test_a_held_delivery_goes_through_by_itself_after_a_mapping_fix(database: Profile) -> None:
    know_service_types(database, "LTC")
    land_services(database, *(service(str(n), "1", service_type_code="NEW") for n in range(30)))
    assert run(check_context(database, "liquidlogic")).state is RunState.HELD
    know_service_types(database, "NEW")
    assert run(check_context(database, "liquidlogic")).state is RunState.DONE
    assert account(database, "liquidlogic__service") == {"read": 30, "inserted": 30}
