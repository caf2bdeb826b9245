"""The check stage on small deliveries: verdicts, quarantine, accounts, order of arrival, kills and repeats."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from domain.profile import Profile
from domain.run import RunState
from expectations import delivery as delivery_module
from expectations.stage import run
from governance.store import Store
from tests.support.check_rows import account, ask, contact, current, everything, failures, patient, person, service
from tests.support.landed import check_context, land, night

CANARY = "Zzyzxcanary"


def test_f24_rows_with_undecodable_characters_are_held_and_never_stored_damaged(database: Profile) -> None:
    rows = [person("1", surname="Sm\ufffdth"), person("2", surname="O\u0092Brien"), person("3", surname="O’Brien")]
    land(database, 0, {"liquidlogic__person": [*rows, person("4", surname="Nul\0l")]}, mode="full")
    assert run(check_context(database, "liquidlogic")).state is RunState.DONE
    assert account(database, "liquidlogic__person") == {"read": 4, "inserted": 1, "quarantined": 3}
    assert current(database, "liquidlogic__person") == {"3"}
    assert failures(database, "liquidlogic__person")["TXT-001"] == 3


def test_f33_a_number_that_fails_its_check_digit_is_kept_and_counted(database: Profile) -> None:
    land(database, 0, {"systmone__patient": [patient("1", nhs_number="9990000019"), patient("2")]}, mode="bulk")
    run(check_context(database, "systmone"))
    assert account(database, "systmone__patient") == {"read": 2, "inserted": 2}
    assert failures(database, "systmone__patient") == {"PER-001": 1}
    assert ask(database, "select verdict from ledger.verdict") == [("warned",)]
    kept = ask(database, "select nhs_number from landing.systmone__patient where row_key = '1|NLX99'")
    assert kept == [("9990000019",)]


def test_f34_filler_numbers_are_counted_apart_from_mistyped_ones(database: Profile) -> None:
    fillers = [patient("1", nhs_number="0000000000"), patient("2", nhs_number="123 456 7881")]
    land(database, 0, {"systmone__patient": fillers}, mode="bulk")
    run(check_context(database, "systmone"))
    assert failures(database, "systmone__patient") == {"PER-002": 2}
    assert account(database, "systmone__patient") == {"read": 2, "inserted": 2}


def test_f39_an_impossible_event_date_holds_the_row_an_impossible_birth_date_does_not(database: Profile) -> None:
    people = [person("1", birth_at="1941-02-30 00:00:00"), person("2", birth_at="1900-01-01 00:00:00"), person("3")]
    services = [
        service("10", "3", start_at="2025-02-30 00:00:00"),
        service("11", "3", end_at="2025-03-01 00:00:00"),
        service("12", "3", end_at="1900-01-01 00:00:00"),
    ]
    land(database, 0, {"liquidlogic__person": people, "liquidlogic__service": services}, mode="full")
    run(check_context(database, "liquidlogic"))
    assert account(database, "liquidlogic__person") == {"read": 3, "inserted": 3}
    assert failures(database, "liquidlogic__person") == {"DAT-002": 1, "DAT-004": 1}
    assert account(database, "liquidlogic__service") == {"read": 3, "inserted": 2, "quarantined": 1}
    assert failures(database, "liquidlogic__service") == {"DAT-001": 1, "DAT-003": 1, "DAT-004": 1}
    assert current(database, "liquidlogic__service") == {"11", "12"}


def test_f48_exact_duplicate_rows_are_counted_as_duplicates(database: Profile) -> None:
    rows = [patient("1"), patient("2"), patient("1"), patient("2", surname="Okafor")]
    land(database, 0, {"systmone__patient": rows}, mode="bulk")
    run(check_context(database, "systmone"))
    assert account(database, "systmone__patient") == {"read": 4, "inserted": 2, "duplicate": 1, "superseded": 1}
    assert ask(database, "select surname from landing.systmone__patient where row_key = '2|NLX99'") == [("Okafor",)]


def test_f50_a_child_without_parent_is_held_and_released_by_itself_when_the_parent_comes(database: Profile) -> None:
    context = check_context(database, "systmone")
    first = {"systmone__patient": [patient("1")], "systmone__patient_contact": [contact("5", "1"), contact("6", "2")]}
    land(database, 0, first, mode="bulk")
    run(context)
    assert account(database, "systmone__patient_contact") == {"read": 2, "inserted": 1, "quarantined": 1}
    assert failures(database, "systmone__patient_contact") == {"REF-001": 1}
    land(database, 1, {"systmone__patient": [patient("2")]})
    assert run(context).counts["released"] == 1
    assert account(database, "systmone__patient_contact") == {"read": 2, "inserted": 2}
    assert current(database, "systmone__patient_contact") == {"5|NLX99", "6|NLX99"}
    known = ask(database, "select known_from from landing.systmone__patient_contact where row_key = '6|NLX99'")
    assert known == [(night(0),)]
    assert ask(database, "select state, decided_by from quarantine.held_row") == [("released", "test")]


def test_a_child_waits_when_its_parent_comes_in_the_same_delivery_but_is_held_itself(database: Profile) -> None:
    tables = {
        "systmone__patient_contact": [contact("5", "1"), contact("6", "2")],
        "systmone__patient": [patient("1", surname="Sm\ufffdth"), patient("2")],
    }
    land(database, 0, tables, mode="bulk")
    run(check_context(database, "systmone"))
    assert current(database, "systmone__patient_contact") == {"6|NLX99"}
    land(database, 1, {"systmone__patient": [patient("1", surname="Smith")]})
    assert run(check_context(database, "systmone")).counts["released"] == 1
    assert current(database, "systmone__patient_contact") == {"5|NLX99", "6|NLX99"}


def test_f15_an_older_delivery_that_comes_late_fills_history_and_overwrites_nothing(database: Profile) -> None:
    context = check_context(database, "systmone")
    land(database, 2, {"systmone__patient": [patient("1", surname="Newer")]}, mode="bulk")
    run(context)
    land(database, 1, {"systmone__patient": [patient("1", surname="Older")]})
    run(context)
    assert account(database, "systmone__patient", 1) == {"read": 1, "superseded": 1}
    versions = ask(database, "select surname, known_from, known_to from landing.systmone__patient order by known_from")
    assert versions == [("Older", night(1), night(2)), ("Newer", night(2), None)]


def test_deliveries_of_one_run_are_taken_in_the_order_of_what_they_know(database: Profile) -> None:
    land(database, 2, {"systmone__patient": [patient("1", surname="Newer")]})
    land(database, 1, {"systmone__patient": [patient("1", surname="Older")]}, mode="bulk")
    run(check_context(database, "systmone"))
    assert account(database, "systmone__patient", 1) == {"read": 1, "inserted": 1}
    assert account(database, "systmone__patient", 2) == {"read": 1, "updated": 1}


def test_test_people_and_what_belongs_to_them_are_excluded_in_this_and_in_later_deliveries(database: Profile) -> None:
    context = check_context(database, "systmone")
    tables = {
        "systmone__patient": [patient("1", is_test="TRUE"), patient("2", is_test="FALSE")],
        "systmone__patient_contact": [contact("5", "1"), contact("6", "2")],
    }
    land(database, 0, tables, mode="bulk")
    land(database, 1, {"systmone__patient_contact": [contact("7", "1"), contact("8", "2")]})
    run(context)
    assert account(database, "systmone__patient") == {"read": 2, "inserted": 1, "excluded_by_policy": 1}
    assert account(database, "systmone__patient_contact") == {"read": 2, "inserted": 1, "excluded_by_policy": 1}
    assert account(database, "systmone__patient_contact", 1) == {"read": 1 + 1, "inserted": 1, "excluded_by_policy": 1}
    reasons = ask(database, "select reason, rows, cardinality(row_digests) from ledger.exclusion")
    assert reasons == [("test_person", 1, 1)] * 3


def test_a_tombstone_of_an_unknown_key_is_counted_as_excluded_with_its_digest(database: Profile) -> None:
    tombstone = {"row_id": "99", "visible_to": "NLX99", "removed": "1"}
    land(database, 0, {"systmone__patient": [patient("1"), tombstone]}, mode="bulk")
    run(check_context(database, "systmone"))
    assert account(database, "systmone__patient") == {"read": 2, "inserted": 1, "excluded_by_policy": 1}
    ((reason, digests),) = ask(database, "select reason, row_digests from ledger.exclusion")
    assert reason == "tombstone_of_unknown_key"
    assert len(digests) == 1
    assert "NLX99" not in digests[0]


def test_ids_written_as_minus_one_are_missing_and_not_orphans(database: Profile) -> None:
    tables = {
        "liquidlogic__person": [person("1", duplicate_of_person_id="-1")],
        "liquidlogic__service": [service("10", "1", referral_id="-1"), service("11", "-1")],
    }
    land(database, 0, tables, mode="full")
    run(check_context(database, "liquidlogic"))
    assert failures(database, "liquidlogic__person") == {}
    assert failures(database, "liquidlogic__service") == {"KEY-006": 1, "REQ-001": 1}


def test_every_table_of_every_delivery_has_an_account_that_balances(database: Profile) -> None:
    _busy(database)
    run(check_context(database, "liquidlogic"))
    tables = ask(database, "select count(*) from ledger.landed_table")[0][0]
    balanced = ask(
        database,
        """select count(*) from ledger.row_account a join ledger.landed_table t using (file_id, dataset)
            where a.read = t.records and a.read = inserted + updated + unchanged + duplicate + superseded + quarantined
              + excluded_by_policy""",
    )
    assert balanced == [(tables,)]
    assert ask(database, "select count(*) from ledger.verdict") == [(tables,)]


def test_running_again_with_nothing_new_changes_nothing(database: Profile) -> None:
    _busy(database)
    run(check_context(database, "liquidlogic"))
    before = everything(database)
    again = run(check_context(database, "liquidlogic"))
    assert again.counts.get("deliveries", 0) == 0
    assert everything(database) == before


def test_f73_a_run_killed_half_way_leaves_nothing_and_the_next_one_ends_the_same(
    database: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    _busy(database, nights=1)
    real, calls = delivery_module.apply_rows, []

    def killed(*args: Any, **named: Any) -> Any:
        calls.append(named["target"])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **named)

    monkeypatch.setattr(delivery_module, "apply_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        run(check_context(database, "liquidlogic"))
    left = everything(database)
    assert [left[part] for part in ("people", "services", "held", "accounts", "excluded", "rules")] == [[]] * 6
    assert left["deliveries"] == [(1, "landed", "")]
    monkeypatch.setattr(delivery_module, "apply_rows", real)
    assert run(check_context(database, "liquidlogic")).state is RunState.DONE
    assert account(database, "liquidlogic__person") == {"read": 3, "inserted": 2, "quarantined": 1}


def test_what_a_killed_run_left_in_staging_is_in_nobodys_way(database: Profile) -> None:
    _busy(database, nights=1)
    with Store(database).connect("loader") as connection:
        connection.exec_driver_sql(
            """create table staging.liquidlogic__person (x text);
               create view staging.liquidlogic__person__checked as select * from staging.liquidlogic__person;
               create table staging.liquidlogic__person__failing (x text)"""
        )
    assert run(check_context(database, "liquidlogic")).state is RunState.DONE
    assert account(database, "liquidlogic__person") == {"read": 3, "inserted": 2, "quarantined": 1}


def test_staging_is_empty_after_a_run(database: Profile) -> None:
    _busy(database)
    run(check_context(database, "liquidlogic"))
    assert (
        ask(database, "select relname from pg_class where relnamespace = 'staging'::regnamespace and relkind <> 't'")
        == []
    )


def test_no_value_of_a_person_reaches_the_ledger_the_logs_or_an_exception(
    database: Profile, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    people = [person("1", forename=CANARY, nhs_number="9990000019", birth_at=CANARY), person(CANARY), person("2")]
    services = [service("10", "1", start_at=CANARY), service("11", "4", provider_name=CANARY)]
    land(database, 0, {"liquidlogic__person": people, "liquidlogic__service": services}, mode="full")
    with caplog.at_level(logging.DEBUG):
        result = run(check_context(database, "liquidlogic"))
    assert result.counts["quarantined"] == 3
    printed = capfd.readouterr()
    seen = caplog.text + printed.out + printed.err + repr(result)
    tables = ask(
        database, "select table_name from information_schema.tables where table_schema in ('ledger', 'quarantine')"
    )
    for (table,) in tables:
        schema = "quarantine" if table == "held_row" else "ledger"
        seen += repr(ask(database, f"select t::text from {schema}.{table} t"))
    assert CANARY not in seen
    assert CANARY.lower() not in seen.lower()


def _busy(profile: Profile, nights: int = 2) -> None:
    """Deliveries with something of everything: held, excluded, duplicate and updated rows."""
    first: Mapping[str, list[dict[str, str | None]]] = {
        "liquidlogic__person": [person("1"), person("2"), person("3", surname="B\ufffd")],
        "liquidlogic__service": [service("10", "1"), service("11", "3"), service("10", "1"), service("12", "-1")],
        "liquidlogic__person_alias": [],
    }
    land(profile, 0, first, mode="full")
    if nights > 1:
        changed = [person("1", surname="Okafor"), person("4", is_test="Y")]
        land(profile, 1, {"liquidlogic__person": changed, "liquidlogic__service": [service("13", "4")]})
