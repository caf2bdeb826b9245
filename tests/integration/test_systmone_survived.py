"""Bad batches of SystmOne carried through the whole way in, each cured, and compared with a trust that never met it.

Every fault meets the points of governance section 6 (tests/support/survival.py): what the run says, a balanced ledger,
one and the same release, the same warehouse in the end, and no planted value where it does not belong.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.profile import Profile
from domain.run import RunState
from tests.support.care_door import believed
from tests.support.survival import Survival
from tests.support.systmone_door import CANARY, Members, Trust, columns, full_extract, windows
from tests.support.systmone_spoilt import ARCHIVES, FILES, Faults
from tests.support.systmone_world import FIRST_NIGHT

Dump = dict[str, list[str]]
PLANTED = (CANARY, CANARY.upper(), "Marlow", "RX9ZZ")
NOTHING_LANDED = "select 1 from ledger.landed_table"


@pytest.fixture(scope="module")
def straight(new_council: Callable[[Path], Profile], tmp_path_factory: pytest.TempPathFactory) -> list[Dump]:
    """What the warehouse holds after each of three nights without any fault."""
    trust, dumps = Trust(new_council(tmp_path_factory.mktemp("straight"))), []
    for number in range(3):
        trust.desk.release(number)
        assert trust.night().state is RunState.DONE
        dumps.append(trust.dump())
    counted = [(len(dump["identity.source_person"]), len(believed(dump)["payload.contact"])) for dump in dumps]
    assert counted == [(3, 2), (4, 3), (5, 4)], "a version for every change, a contact for every visit"
    return dumps


@pytest.fixture
def trust(database: Profile) -> Trust:
    return Trust(database)


def but_for_windows(dump: Dump) -> Dump:
    """A dump without what the batches said of themselves: the right batch rightly says another window."""
    return {name: lines for name, lines in dump.items() if name != "landing.systmone__manifest"}


def met_and_cured(trust: Trust, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
    """Each fault alone in the first batch: nothing is landed. Then the right batch comes."""
    caplog.set_level("DEBUG")
    survival, right = Survival(trust.profile, PLANTED), trust.desk.members()
    for inflict, state, code in faults.values():
        inflict(trust)
        before = {path for path in trust.profile.home.rglob("*") if path.is_file()}
        survival.ended(trust.land(), state, code)
        assert survival.rows(NOTHING_LANDED) == []
        new = {path for path in trust.profile.home.rglob("*") if path.is_file()} - before
        assert all(path.is_relative_to(trust.profile.landing / "raw") for path in new), "only the original is kept"
        trust.desk.repack(right)
    assert trust.night().state is RunState.DONE
    survival.stands(caplog.text)


def test_f01_f03_f06_f07_f08_f09_a_bad_archive_lands_nothing_and_the_right_one_loads_by_itself(
    trust: Trust, straight: list[Dump], caplog: pytest.LogCaptureFixture
) -> None:
    met_and_cured(trust, ARCHIVES, caplog)
    assert trust.dump() == straight[0]


def test_f01_f02_f06_f24_f25_f28_a_bad_file_lands_nothing_of_its_batch_and_the_right_one_loads_by_itself(
    trust: Trust, straight: list[Dump], caplog: pytest.LogCaptureFixture
) -> None:
    met_and_cured(trust, FILES, caplog)
    assert trust.dump() == straight[0]


def with_new_column(fields: list[bytes]) -> list[bytes]:
    return [*fields, b'"GenderIdentity"' if b"RowIdentifier" in fields[0] else f'"{CANARY}"'.encode()]


def test_f02_f04_f24_f27_f28_f29_a_batch_that_can_be_read_is_taken_and_what_it_lacked_comes_with_the_right_one(
    trust: Trust, straight: list[Dump], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    survival, right = Survival(trust.profile, PLANTED), trust.desk.members()
    spoil = trust.desk.spoil
    spoil("SRPatient", lambda text: text.replace(CANARY.encode(), CANARY.encode() + b"\x81", 1))
    spoil("SRVisit", lambda text: text[: text.index(b"\r\n") + 2])
    spoil("SRPatientAddressHistory", lambda text: columns(text, lambda fields: fields[::-1]))
    spoil("SRAppointment", lambda text: columns(text, lambda fields: fields[:-1]))
    spoil("SRPatientContactDetails", lambda text: columns(text, with_new_column))
    trust.desk.repack({**trust.desk.members(), "SRStray": CANARY.encode()})
    (trust.desk.folder() / "readme.txt").write_text(CANARY)
    landed = trust.night()
    for code in ("UNDECODABLE", "COLUMN_ORDER", "OPTIONAL_COLUMN_MISSING", "UNKNOWN_COLUMN", "UNEXPECTED_FILE"):
        assert (landed.state, code in {f.code for f in landed.findings}) == (RunState.DONE, True), code
    survival.stands(caplog.text, *(f"{f.message} {f.remedy}" for f in landed.findings))
    met = trust.dump()
    for table in ("patient_address", "patient_contact"):
        told, true = met[f"landing.systmone__{table}"], straight[0][f"landing.systmone__{table}"]
        assert len(told) == 2 and set(told) < set(true), "read by name; those of the damaged row wait with it"
    assert len(met["identity.source_person"]) == len(straight[0]["identity.source_person"]) - 1
    assert {line for line in met["quarantine"] if "REF-" not in line} == {"('systmone__patient', 'TXT-001', 'held')"}
    assert survival.rows("select column_name, status from ledger.unknown_column") == [
        {"column_name": "GenderIdentity", "status": "new"}
    ]

    trust.bring("20260326_0900", windows(right, until=b"20260326_0859"))
    assert trust.night().state is RunState.DONE
    assert but_for_windows(believed(trust.dump())) == but_for_windows(believed(straight[0]))
    survival.stands(caplog.text)


def test_f14_other_content_under_a_batch_name_waits_for_a_person_and_then_corrects(
    trust: Trust, straight: list[Dump], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    right = trust.desk.members()
    trust.desk.spoil("SRPatient", lambda text: text.replace(CANARY.encode(), b"Zzwrong", 1))
    trust.night()
    before, survival = trust.dump(), Survival(trust.profile, (*PLANTED, "Zzwrong"))
    assert before != straight[0]
    trust.desk.repack(right)
    survival.ended(trust.land(), RunState.HELD, "SAME_NAME_OTHER_CONTENT")
    assert trust.dump() == before
    trust.options(corrections=trust.desk.folder().name)
    assert trust.night().state is RunState.DONE
    assert believed(trust.dump()) == believed(straight[0]), "the history alone tells of the wrong name"
    survival.stands(caplog.text)


def test_f19_a_batch_of_another_organisation_is_sealed_and_the_right_one_loads(
    trust: Trust, straight: list[Dump], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    trust.options(organisations="NLF11")
    survival, right = Survival(trust.profile, PLANTED), trust.desk.members()
    trust.desk.spoil("SRVisit", lambda text: text.replace(b'"NLF11"', b'"RX9ZZ"', 1))
    foreign = trust.desk.archive().read_bytes()
    survival.ended(trust.land(), RunState.REFUSED, "FOREIGN_ORGANISATION")
    assert survival.rows(NOTHING_LANDED) == []
    kept = [path for path in trust.profile.landing.rglob("*") if path.is_file()]
    assert [(path.parent.name, path.read_bytes() == foreign) for path in kept] == [("sealed", True)]
    opened = survival.rows("select code, about from ledger.incident")
    assert opened == [{"code": "FOREIGN_ORGANISATION", "about": trust.desk.folder().name}]
    trust.desk.repack(right)
    assert trust.night().state is RunState.DONE
    assert trust.dump() == straight[0]
    survival.stands(caplog.text)


def with_rows_of(bulk: Members, delta: Members) -> Members:
    """A delta whose window begins before the last one ended: it tells again what the batch before told."""
    again = {name: text + bulk[name].partition(b"\r\n")[2] for name, text in delta.items() if name in ("SRVisit",)}
    return windows({**delta, **again}, since=b"20260325_2300")


def test_f16_f17_a_gap_holds_what_follows_and_the_missing_delta_clears_it_though_it_overlaps_what_came_before(
    trust: Trust, straight: list[Dump], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    survival, bulk = Survival(trust.profile, PLANTED), trust.desk.members(0)
    trust.night()
    trust.desk.release(2)
    survival.ended(trust.land(), RunState.HELD, "GAP")
    assert trust.dump() == straight[0], "nothing of the later batch is loaded"

    trust.desk.release(1)
    trust.desk.repack(with_rows_of(bulk, trust.desk.members(1)), 1)
    landed = trust.night()
    assert (landed.state, landed.counts["deliveries"]) == (RunState.DONE, 2), "the later batch loads by itself"
    doubled = "select row_id from landing.systmone__visit where known_to is null group by 1 having count(*) > 1"
    assert survival.rows(doubled) == []
    true = {f"visit:74120000000{number}" for number in (1, 3, 4)}
    told = survival.rows("select event_key from payload.contact where known_to is null and contact_type = 'visit'")
    assert sorted(row["event_key"] for row in told) == sorted(true), "each visit of the world once"
    met = but_for_windows(trust.dump())
    assert believed(met) == but_for_windows(believed(straight[2]))
    for table, lines in met.items():
        if table.startswith("landing."):  # conforming saw both nights at once and skips what was believed between
            assert lines == straight[2][table], "what landed is the same with its whole history"
    survival.stands(caplog.text)


def test_f16_a_full_extract_clears_a_gap_whose_delta_never_comes(
    trust: Trust, straight: list[Dump], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    survival, bulk = Survival(trust.profile, PLANTED), trust.desk.members(0)
    trust.night()
    trust.desk.release(1, 2)
    full = full_extract(bulk, trust.desk.members(1))
    trust.desk.withdraw(1)
    survival.ended(trust.land(), RunState.HELD, "GAP")
    (gap,) = [f for f in trust.land().findings if f.code == "GAP"]
    assert re.search(f"ends {FIRST_NIGHT:%d %b %Y} .*begins 27 Mar 2026", gap.message) and "full" in gap.remedy
    trust.bring("20260327_0900", full)
    landed = trust.night()
    assert (landed.state, landed.counts["deliveries"]) == (RunState.DONE, 2), "the delta behind the gap loads, too"
    assert but_for_windows(believed(trust.dump())) == but_for_windows(believed(straight[2]))
    survival.stands(caplog.text)


def swollen(text: bytes) -> bytes:
    """Six hundred patients nobody has seen before."""
    line = text.split(b"\r\n")[1]
    number = line.split(b",", 1)[0]
    return text + b"".join(line.replace(number, b'"351620%05d"' % n) + b"\r\n" for n in range(600))


def test_f55_a_batch_far_larger_or_smaller_than_usual_waits_for_a_person(
    trust: Trust, straight: list[Dump], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    survival = Survival(trust.profile, PLANTED)
    trust.night()
    trust.desk.release(1)
    bulk, right = trust.desk.members(0), trust.desk.members(1)
    trust.desk.spoil("SRPatient", swollen, 1)
    survival.ended(trust.land(), RunState.HELD, "GREW")

    whole = full_extract(bulk, right)
    trust.desk.withdraw(1)
    for name, code, table, change in (
        ("grown", "GREW", "SRPatient", swollen),
        ("emptied", "SHRANK", "SRVisit", lambda text: text[: text.index(b"\r\n") + 2]),
    ):
        trust.bring(f"20260327_0900_{name}", {**whole, table: change(whole[table])})
        survival.ended(trust.land(), RunState.HELD, code)
        shutil.rmtree(trust.desk.inbox / f"20260327_0900_{name}")
    assert trust.dump() == straight[0], "nothing of them is loaded"

    trust.desk.release(1)
    assert trust.night().state is RunState.DONE
    assert trust.dump() == straight[1]
    trust.bring("20260328_0900", windows({**whole, "SRPatient": swollen(whole["SRPatient"])}, until=b"20260328_0300"))
    survival.ended(trust.land(), RunState.HELD, "GREW")
    trust.options(volume_accepted="20260328_0900")
    assert trust.land().counts["deliveries"] == 1, "a person said that it is right"
    survival.stands(caplog.text)
