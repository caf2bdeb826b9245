"""SystmOne rows in our own words, against what was really so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connectors.synthetic.keys import person_key
from domain.profile import Profile
from domain.run import RunState
from tests.support.systmone_world import Desk, accept, address, collect, event, record, rows, settle, world


@pytest.fixture
def desk(database: Profile, tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_patient_comes_out_with_the_number_verified_by_the_spine_and_the_date_of_a_birth_time(
    database: Profile, desk: Desk
) -> None:
    newborn = record(
        2, fields={"nhs_number": "9990000026", "nhs_number_verified": "N", "birth_date": "2001-02-14", "sex": "U"}
    )
    numberless = record(3, fields={"nhs_number": "", "ethnicity_code": "", "telephone": "07700 900123"})
    desk.write(world([record(1, references={"liquidlogic": "100017"}), newborn, numberless]))
    desk.release(0)
    desk.spoil("SRPatient", lambda text: text.replace(b"14 Feb 2001 00:00", b"14 Feb 2001 04:35"))
    assert settle(database).state is RunState.DONE

    first, second, third = rows(database, "select * from identity.source_person order by source_person_key")
    assert first["source_person_key"] == person_key("systmone", 1)
    assert (first["forename"], first["middle_names"], first["surname"]) == ("Margaret", "Ann", "O\u2019Brien")
    assert (first["nhs_number_supplied"], first["nhs_number_verified"]) == ("9990000018", True)
    assert (first["birth_date"], first["sex"], first["ethnicity_code"]) == (date(1941, 7, 2), "2", "A")
    assert (first["postcode"], first["address_text"]) == ("AV11 1AA", "5, Tree Road, Eastmere")
    assert (first["telephone"], first["gp_practice_code"]) == ("01632 960001", "B82001")
    assert (second["nhs_number_verified"], second["birth_date"], second["sex"]) == (False, date(2001, 2, 14), None)
    assert (third["nhs_number_supplied"], third["nhs_number_verified"], third["ethnicity_code"]) == (None, None, None)
    reference = rows(database, "select * from identity.source_reference")
    assert [(r["source_person_key"], r["reference_type"], r["reference_value"]) for r in reference] == [
        (person_key("systmone", 1), "care_key", "100017")
    ]


def test_ethnicity_is_the_latest_informative_entry_not_the_latest(database: Profile, desk: Desk) -> None:
    desk.write(world([record(1)]))
    desk.release(0)
    header, *entries = desk.members()["SRCode"].decode("cp1252").splitlines()
    template = next(line for line in entries if '"9S10."' in line)

    def entry(number: int, code: str, recorded: str) -> str:
        fields = template[1:-1].split('","')
        fields[0], fields[2], fields[3], fields[8] = str(number), recorded, recorded, code
        return '"' + '","'.join(fields) + '"'

    told = [
        entry(1, "9S6..", "01 Feb 2020 00:00:00"),
        entry(2, "9S9..", "03 Mar 2021 10:00:00"),
        entry(3, "9S10.", "03 Mar 2021 09:00:00"),
        entry(4, "9SD..", "01 Jan 2026 00:00:00"),
        entry(5, "2469.", "02 Jan 2026 00:00:00"),
    ]
    desk.spoil("SRCode", lambda _: "\r\n".join([header, *told, ""]).encode("cp1252"))
    settle(database)
    assert rows(database, "select ethnicity_code from identity.source_person") == [{"ethnicity_code": "R"}]


def test_the_linking_address_is_the_open_home_and_every_episode_is_kept(database: Profile, desk: Desk) -> None:
    moved = [
        address("Old Lane", "AV1 1AA", date(1990, 1, 1), date(2020, 6, 1)),
        address("New Lane", "AV2 2BB", date(2020, 6, 1)),
    ]
    desk.write(world([record(1, addresses=moved)]))
    desk.release(0)
    settle(database)
    assert rows(database, "select postcode from identity.source_person") == [{"postcode": "AV2 2BB"}]
    old, new = rows(database, "select * from identity.source_address order by valid_from")
    assert (old["postcode"], old["valid_from"], old["valid_to"]) == ("AV1 1AA", date(1990, 1, 1), date(2020, 6, 1))
    assert (new["address_type"], new["line_text"], new["valid_to"]) == ("home", "5, New Lane, Eastmere", None)


def test_the_number_and_street_in_one_field_read_the_same(database: Profile, desk: Desk) -> None:
    desk.write(world())
    desk.release(0)
    desk.spoil("SRPatientAddressHistory", lambda text: text.replace(b'"5","Tree Road"', b'"5 Tree Road",""'))
    settle(database)
    assert rows(database, "select line_text from identity.source_address") == [{"line_text": "5 Tree Road, Eastmere"}]


def test_referrals_and_contacts_resolve_their_pick_lists_and_know_each_other(database: Profile, desk: Desk) -> None:
    referral = event(
        1, "referral", end_at=datetime(2026, 2, 20, 15, 0), facts={"discharge_reason": "Treatment completed"}
    )
    visit = event(2, "visit", facts={"referral_event_id": "1"})
    clinic = event(3, "appointment", start=datetime(2026, 7, 1, 14, 0))
    desk.write(world(events=[referral, visit, clinic]))
    desk.release(0)
    settle(database)

    told = rows(database, "select * from payload.referral")[0]
    assert (told["event_key"], told["organisation_code"]) == ("referral:52310000001", "NLF11")
    assert (told["referral_date"], told["discharge_date"]) == (date(2026, 1, 12), date(2026, 2, 20))
    assert (told["referral_source"], told["service"], told["urgency"]) == (
        "Acute hospital",
        "Community Nursing",
        "Routine",
    )
    assert (told["primary_reason"], told["discharge_reason"]) == ("Wound care", "Treatment completed")

    summer, home = rows(
        database,
        "select * from payload.contact where event_key in ('visit:741200000002', "
        "'appointment:343760000003') order by contact_type",
    )
    assert (home["event_key"], home["referral_event_key"]) == ("visit:741200000002", "referral:52310000001")
    assert (home["status"], home["duration_minutes"]) == ("Finished", 30)
    assert home["start_at"].date() == date(2026, 1, 12)
    assert (summer["status"], summer["duration_minutes"]) == ("Did not attend", 20)
    assert summer["start_at"] == datetime(2026, 7, 1, 13, 0, tzinfo=UTC), "14:00 in a British summer"
    assert summer["referral_event_key"] is None


def test_a_list_id_that_is_missing_or_the_lists_own_means_not_set(database: Profile, desk: Desk) -> None:
    sent = {1: b"1051001", 2: b"2102", 3: b"1051499", 4: b"-1", 5: b"1051251", 6: b"Same day"}
    desk.write(world(events=[event(number, "referral") for number in sent]))
    desk.release(0)

    def each_its_own(text: bytes) -> bytes:
        header, *lines = text.split(b"\r\n")[:-1]
        changed = [line.replace(b'"1051001"', b'"' + sent[int(line[1:12]) - 52310000000] + b'"') for line in lines]
        return b"\r\n".join([header, *changed, b""])

    desk.spoil("SRReferralIn", each_its_own)
    settle(database)
    told = rows(database, "select urgency from payload.referral order by event_key")
    assert [row["urgency"] for row in told] == ["Routine", None, None, None, "Routine", "Same day"]


def test_midnight_means_the_day_alone_and_a_lost_hour_still_gives_a_moment(database: Profile, desk: Desk) -> None:
    times = [datetime(2026, 1, 12), datetime(2025, 3, 30, 1, 30), datetime(2025, 10, 26, 1, 30)]
    desk.write(world(events=[event(n, "appointment", start=start) for n, start in enumerate(times, start=1)]))
    desk.release(0)
    settle(database)
    told = rows(database, "select start_at, is_date_only from payload.contact order by event_key")
    assert [row["is_date_only"] for row in told] == [True, False, False]
    assert [row["start_at"] for row in told] == [
        datetime(2026, 1, 12, tzinfo=UTC),
        datetime(2025, 3, 30, 1, 30, tzinfo=UTC),
        datetime(2025, 10, 26, 1, 30, tzinfo=UTC),
    ]


def test_visits_typed_as_free_text_are_excluded_and_counted(database: Profile, desk: Desk) -> None:
    desk.write(world(events=[event(1, "visit")], nights=0))
    desk.release(0)
    collect(database)
    counts = accept(database)["systmone__visit"]
    assert counts.excluded == {"no_patient": 6}
    assert (counts.inserted, counts.accounted) == (1, 7)


def test_f51_a_tombstone_without_its_patient_removes_the_right_row(database: Profile, desk: Desk) -> None:
    desk.write(world(events=[event(1, "appointment", deleted_night=1), event(2, "appointment")]))
    desk.release(0)
    settle(database)
    desk.release(1)
    assert b'"343760000001","NLF11","","' in desk.members(1)["SRAppointment"]
    settle(database)
    assert rows(database, "select event_key from payload.contact where known_to is null") == [
        {"event_key": "appointment:343760000002"}
    ]
    assert rows(database, "select count(*) as n from payload.contact")[0]["n"] == 2, "what was believed is kept"


def test_f51_a_removed_patient_leaves_the_view_with_everything_that_hangs_on_it(database: Profile, desk: Desk) -> None:
    events = [event(1, "referral"), event(2, "visit"), event(3, "appointment", of=2)]
    desk.write(world([record(1, removed_night=1, references={"carefirst": "4000001"}), record(2)], events))
    desk.release(0)
    settle(database)
    desk.release(1)
    settle(database)
    now = "where known_to is null"
    assert rows(database, f"select source_person_key as k from identity.source_person {now}") == [
        {"k": "NLF11:35161000002"}
    ]
    assert rows(database, f"select source_person_key as k from identity.source_address {now}") == [
        {"k": "NLF11:35161000002"}
    ]
    assert rows(database, f"select * from identity.source_reference {now}") == []
    assert rows(database, f"select * from payload.referral {now}") == []
    assert rows(database, f"select event_key from payload.contact {now}") == [{"event_key": "appointment:343760000003"}]


def test_f51_an_older_batch_that_comes_late_does_not_revive_a_deleted_row(database: Profile, desk: Desk) -> None:
    trust = world(
        events=[event(1, "appointment", deleted_night=2, changed_night=1, changed_facts={"status": "Finished"})],
        nights=2,
    )
    desk.write(trust)
    desk.release(0)
    settle(database)
    # The delta of night 1 is late; that of night 2 comes as a bulk, so nothing is missing before it.
    desk.release(2)
    desk.spoil("SRManifest", lambda text: text.replace(b'"Y","', b'"N","'), 2)
    desk.spoil("SRPatient", lambda _: desk.members(0)["SRPatient"], 2)
    members = desk.members(2)
    assert b'"N","N","2026' in members["SRManifest"]
    source = database.source("systmone")
    accepted = replace(source, options={**source.options, "shrink_accepted": desk.folder(2).name})
    database = replace(database, sources=tuple(accepted if s.name == "systmone" else s for s in database.sources))
    settle(database)
    desk.release(1)
    settle(database)
    assert rows(database, "select * from payload.contact where known_to is null") == []


def test_a_merge_hangs_the_events_of_the_removed_record_on_the_survivor(database: Profile, desk: Desk) -> None:
    loser = record(1, removed_night=1, duplicate_of=person_key("systmone", 2))
    desk.write(world([loser, record(2)], [event(1, "appointment", of=1)]))
    desk.release(0)
    settle(database)
    desk.release(1)
    settle(database)
    held = rows(
        database,
        """select r.source_person_key as k from payload.contact c
                               join identity.source_record r using (source_record_id) where c.known_to is null""",
    )
    assert held == [{"k": person_key("systmone", 2)}]


def test_a_row_that_two_organisations_see_is_one_event(database: Profile, desk: Desk) -> None:
    desk.write(world(events=[event(1, "appointment")]))
    desk.release(0)

    def twice(text: bytes) -> bytes:
        header, *lines = text.split(b"\r\n")[:-1]
        shared = [line.replace(b'"NLF11"', b'"B82001"', 1) for line in lines]
        return b"\r\n".join([header, *lines, *shared, b""])

    desk.spoil("SRPatient", twice)
    desk.spoil("SRAppointment", twice)
    settle(database)
    assert len(rows(database, "select * from identity.source_person")) == 2
    held = rows(
        database,
        """select r.source_person_key as k from payload.contact c
                               join identity.source_record r using (source_record_id)""",
    )
    assert held == [{"k": person_key("systmone", 1)}]
