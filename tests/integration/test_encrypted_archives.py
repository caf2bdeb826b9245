"""Encrypted archives: opened with the password of the source's connection, held while it is missing or wrong (F10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from connectors import conform, stage
from connectors.systmone.split_archive import ArchiveRefused, PasswordWrong, open_archive, parts_of
from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from tests.support.encrypted_zip import aes_archive, put, zipcrypto_archive
from tests.support.survival import Survival, canonical_dump
from tests.support.systmone_door import small_desk
from tests.support.systmone_world import Desk

PASSWORD, WRONG = "heron-Quay-7741", "heron-Quay-7742"
PART = 20_000


def night(profile: Profile, password: str = "") -> RunResult:
    """Land and, when anything was landed, check and conform; the password comes as the scheduler hands it down."""
    secrets = {"archive_password": password} if password else {}
    context = RunContext(profile, "night", "test", source="systmone", secrets=secrets)
    landed = stage.run(context)
    if landed.counts.get("deliveries"):
        for step in (check, conform):
            assert step.run(replace(context, secrets={})).is_done
    return landed


@pytest.mark.parametrize("encrypt", [aes_archive, zipcrypto_archive])
def test_f10_a_missing_or_wrong_password_holds_the_batch_and_the_right_one_loads_it(
    database: Profile,
    new_council: Callable[[Path], Profile],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    caplog: pytest.LogCaptureFixture,
    encrypt: Callable[[dict[str, bytes], str], bytes],
) -> None:
    caplog.set_level("DEBUG")
    straight = new_council(tmp_path_factory.mktemp("straight"))
    small_desk(straight.home)
    assert night(straight).is_done

    desk = small_desk(tmp_path)
    parts = put(encrypt(desk.members(), PASSWORD), desk.folder(), "SRExtract", PART)
    assert len(parts) > 1, "a real batch comes in parts"
    survival = Survival(database, (PASSWORD, WRONG, "Margaret"))
    survival.ended(night(database), RunState.HELD, "ENCRYPTED")
    survival.ended(night(database, WRONG), RunState.HELD, "WRONG_PASSWORD")
    assert survival.rows("select 1 from ledger.landed_table") == [], "nothing is loaded"
    loaded = night(database, PASSWORD)
    assert (loaded.state, loaded.counts["deliveries"]) == (RunState.DONE, 1)
    survival.stands(caplog.text)
    assert canonical_dump(database, "systmone") == canonical_dump(straight, "systmone")


def test_f10_the_password_comes_from_the_sources_own_secret(
    database: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = small_desk(tmp_path)
    put(aes_archive(desk.members(), PASSWORD), desk.folder(), "SRExtract", PART)
    monkeypatch.setenv("ONESTORY_SECRET_SYSTMONE", f'{{"archive_password": "{PASSWORD}"}}')
    assert stage.run(RunContext(database, "night", "test", source="systmone")).counts["deliveries"] == 1


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return small_desk(tmp_path)


def test_f07_f10_damage_inside_an_encrypted_archive_is_refused_and_no_wrong_password(desk: Desk) -> None:
    whole = bytearray(aes_archive(desk.members(), PASSWORD))
    place = whole.index(b"SRPatient.csv") + len("SRPatient.csv")
    whole[place + 60] ^= 0x55  # behind the salt and the two bytes that judge the password
    put(bytes(whole), desk.folder(), "SRExtract", PART)
    with (
        open_archive(parts_of(desk.archive()), password=PASSWORD) as archive,
        archive.open("SRPatient") as stream,
        pytest.raises(ArchiveRefused, match=r"SRPatient\.csv is damaged"),
    ):
        while stream.read(1 << 16):
            pass


def test_f10_a_password_that_fits_one_entry_by_chance_is_tried_on_all_of_them(desk: Desk) -> None:
    put(zipcrypto_archive(desk.members(), PASSWORD), desk.folder(), "SRExtract", PART)
    parts = parts_of(desk.archive())
    for number in range(600):  # two or three of these would open the first entry
        with pytest.raises(PasswordWrong) as told, open_archive(parts, password=f"guess {number}"):
            pass
        assert "guess" not in str(told.value)


def test_f09_f10_an_unsafe_name_in_an_encrypted_archive_is_refused_all_the_same(desk: Desk) -> None:
    put(zipcrypto_archive({"../out": b"x", **desk.members()}, PASSWORD), desk.folder(), "SRExtract", PART)
    with pytest.raises(ArchiveRefused, match="unsafe"), open_archive(parts_of(desk.archive()), password=PASSWORD):
        pass
