"""What a batch says of itself, and the gap rule."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.base import DeliveryProblem
from connectors.systmone.manifest import ALWAYS_PRESENT, parse_manifest, require_complete, require_continuous
from domain.run import RunState


def line(table: str, delta: str = "Y", start: str = "20260326_0203", end: str = "20260327_0158") -> dict[str, str]:
    dates = {"DateExtractFrom": start, "DateExtractTo": end}
    return {"FileName": table, "IsDelta": delta, "IsReference": "N", **dates}


def refusal(*lines: dict[str, str]) -> str:
    with pytest.raises(DeliveryProblem) as problem:
        parse_manifest(lines)
    assert problem.value.state is RunState.REFUSED
    return str(problem.value)


def test_one_manifest_can_mix_full_tables_and_deltas() -> None:
    manifest = parse_manifest([line("SRPatient"), line("SRCode", "N", ""), line("SROrganisation", "N", "")])
    assert manifest.modes == {"SRPatient": "delta", "SRCode": "bulk", "SROrganisation": "bulk"}
    assert manifest.mode == "delta"
    assert manifest.window_from == datetime(2026, 3, 26, 2, 3, tzinfo=UTC)
    assert manifest.window_to == datetime(2026, 3, 27, 1, 58, tzinfo=UTC)


def test_windows_are_british_wall_clock_time() -> None:
    assert parse_manifest([line("SRPatient", end="20260401_0210")]).window_to == datetime(2026, 4, 1, 1, 10, tzinfo=UTC)


def test_a_batch_of_full_tables_only_has_no_lower_bound() -> None:
    manifest = parse_manifest([line("SRPatient", "N", "")])
    assert (manifest.mode, manifest.window_from) == ("bulk", None)


def test_the_two_tables_that_leave_their_window_blank_are_deltas_all_the_same() -> None:
    manifest = parse_manifest([line("SRPatient"), line("SRReferralContactEvent", start="", end="")])
    assert manifest.modes["SRReferralContactEvent"] == "delta"


def test_a_manifest_that_contradicts_itself_is_refused() -> None:
    assert "lists no file" in refusal()
    assert "listed twice" in refusal(line("SRPatient"), line("SRPatient"))
    assert "share one extract window" in refusal(line("SRPatient"), line("SRVisit", end="20260327_0300"))
    assert "share one extract window" in refusal(line("SRPatient"), line("SRVisit", start="20260325_0300"))
    assert "ends before it begins" in refusal(line("SRPatient", start="20260328_0000"))
    assert "neither Y nor N" in refusal(line("SRPatient", "1"))
    assert "yyyyMMdd_HHmm" in refusal(line("SRPatient", end="27/03/2026"))
    assert "yyyyMMdd_HHmm" in refusal(line("SRPatient", start=""))
    assert "column IsDelta is missing" in refusal({k: v for k, v in line("SRPatient").items() if k != "IsDelta"})


def test_a_batch_is_whole_with_its_named_files_and_the_three_that_are_always_there() -> None:
    manifest = parse_manifest([line("SRPatient"), line("SRVisit")])
    require_complete(manifest, {*ALWAYS_PRESENT, "SRPatient", "SRVisit", "SRStray"})
    with pytest.raises(DeliveryProblem, match=r"SRMapping\.csv, SRVisit\.csv") as problem:
        require_complete(manifest, {"SRManifest", "SRMappingGroup", "SRPatient"})
    assert problem.value.state is RunState.HELD


@pytest.mark.parametrize(("known_to_minute", "taken"), [(2, False), (3, True), (4, True)])
def test_f16_a_window_may_touch_or_overlap_the_last_one_but_not_leave_a_gap(known_to_minute: int, taken: bool) -> None:
    manifest = parse_manifest([line("SRPatient")])
    last_known_at = datetime(2026, 3, 26, 2, known_to_minute, tzinfo=UTC)
    if taken:
        require_continuous(manifest, last_known_at)
        return
    with pytest.raises(DeliveryProblem, match=r"ends 26 Mar 2026 02:02, this one begins 26 Mar 2026 02:03"):
        require_continuous(manifest, last_known_at)


def test_f16_a_full_extract_clears_a_gap() -> None:
    require_continuous(parse_manifest([line("SRPatient", "N", "")]), datetime(2020, 1, 1, tzinfo=UTC))
