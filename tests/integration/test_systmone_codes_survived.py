"""Codes nobody lists and restricted ones at SystmOne's door, to all points of survival (governance section 6).

A full extract brings the right codes later; what is believed then is what a trust believes that had them at once.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors import conform, stage
from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from tests.support import canaries
from tests.support.care_door import CANARY, Dump, believed
from tests.support.survival import Survival, canonical_dump
from tests.support.systmone_door import full_extract
from tests.support.systmone_world import Desk, event, record, world

PATIENTS, UNKNOWN = 32, 28
SAID_OF_THEMSELVES = ("landing.systmone__manifest",)  # a full extract rightly says another window


class Trust:
    """A trust of patients with a recorded ethnicity, one of them referred."""

    def __init__(self, profile: Profile) -> None:
        self.profile, self.desk = profile, Desk(profile.home)
        records = [record(n, fields={"forename": CANARY}) for n in range(1, PATIENTS + 1)]
        told = [event(1, "referral"), event(2, "referral", of=2), event(3, "visit", of=3, night=1)]
        self.desk.write(world(records, told, nights=1))
        self.desk.release(0)

    def night(self) -> dict[str, RunResult]:
        context = RunContext(self.profile, "night", "test", source="systmone")
        results = {step.STAGE: step.run(context) for step in (stage, check, conform)}
        assert {result.state for result in results.values()} == {RunState.DONE}, results
        return results

    def believed(self) -> Dump:
        dump = believed(canonical_dump(self.profile, "systmone"))
        return {name: rows for name, rows in dump.items() if name not in SAID_OF_THEMSELVES}


@pytest.fixture(scope="module")
def straight(new_council: Callable[[Path], Profile], tmp_path_factory: pytest.TempPathFactory) -> Dump:
    """What is believed after two nights without any fault."""
    trust = Trust(new_council(tmp_path_factory.mktemp("straight")))
    trust.night()
    trust.desk.release(1)
    trust.night()
    return trust.believed()


def test_f52_f53_systmone_unknown_codes_are_counted_restricted_ones_stay_outside_and_a_full_extract_mends_it(
    database: Profile, straight: Dump, admin_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    trust = Trust(database)
    right = trust.desk.members()
    codes = re.sub(rb'"9S10\."', b'"9SZZ."', right["SRCode"], count=UNKNOWN).replace(b'"9S10."', b'"XR001"', 1)
    named = right["SRReferralIn"].replace(b"Community Nursing", b"Larkspur Clinic", 1)
    assert named != right["SRReferralIn"]
    trust.desk.repack({**right, "SRCode": codes, "SRReferralIn": named})
    survival = Survival(database, (CANARY, CANARY.upper(), "XR001", "9SZZ", "arkspur"))

    checked = trust.night()["check"]
    survival.ended(checked, RunState.DONE, "CODES-ALARM")
    (alarm,) = [finding for finding in checked.findings if finding.code == "CODES-ALARM"]
    assert f"COD-002 {UNKNOWN} of " in alarm.message and "mapping" in alarm.remedy
    known = "select count(ethnicity_code) as n from identity.source_person where known_to is null"
    told = csv.DictReader(io.StringIO(codes.decode("cp1252")))
    still = {row["IDPatient"] for row in told if re.fullmatch("9S(?!ZZ)...", row["CTV3Code"])}
    assert 0 < len(still) < PATIENTS - UNKNOWN + 9
    assert survival.rows(known) == [{"n": len(still)}], "the others read as not known; the patients are kept"
    left = survival.rows("select dataset, rows from ledger.exclusion where reason = 'restricted_code' order by 1")
    assert [tuple(row.values()) for row in left] == [("systmone__code", 1), ("systmone__referral_in", 1)]
    said = ["XR001", "Larkspur"]
    assert canaries.in_database(admin_url, said) == [] == canaries.in_files(database.landing, said)

    trust.desk.release(1)
    trust.desk.repack(full_extract(right, trust.desk.members(1)), night=1)
    trust.night()
    assert trust.believed() == straight
    survival.stands(caplog.text)
