"""Each fault of a whole night (D91) at MiCare's door: told by its code, made good later, nothing taken twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from connectors.synthetic.world import FileFault, FileFaultKind
from domain.profile import Profile
from onestory.drift import accept_suggestions
from tests.support.carefirst_world import person
from tests.support.micare_world import Desk, as_profile, collect, event, record, rows, world

#: kind -> code it is told by on its night; "" where nothing arrives or what arrives is right.
TOLD = {
    "missing": "", "empty": "EMPTY_FILE", "truncated": "CUT_OFF", "duplicated": "", "out_of_order": "",
    "extra_column": "UNKNOWN_COLUMN", "renamed_column": "COLUMN_RENAMED",
}  # fmt: skip
DELIVERIES = """select name, state, code, times_seen, as_known_at from ledger.delivery
    where state not in ('held', 'refused') or code = 'COLUMN_RENAMED' order by as_known_at, name"""


def ledger(profile: Profile) -> list[dict[str, Any]]:
    return rows(profile, DELIVERIES)


def test_every_fault_of_a_night_is_detected_and_made_good(database: Profile, tmp_path: Path) -> None:
    desk, profile = Desk(tmp_path), as_profile(database)
    people = range(1, 31)
    council = world([person(n) for n in people], [record(n) for n in people], nights=2 * len(TOLD))
    council.events = [event(n, "service" if n % 3 else "request", of=n) for n in people]
    at: dict[FileFaultKind, int] = {kind: 2 * place + 1 for place, kind in enumerate(get_args(FileFaultKind))}
    council.file_faults = [FileFault("micare", night, kind) for kind, night in at.items()]
    desk.write(council)
    told: dict[int, tuple[dict[str, int], set[str]]] = {}
    for night in range(council.nights + 1):
        desk.release(night)
        result = collect(profile)
        told[night] = (dict(result.counts), {finding.code for finding in result.findings})
        if night == at["renamed_column"]:
            assert accept_suggestions(profile, "micare", by="a person", reason="the supplier says so") == 1
            assert collect(profile).counts["deliveries"] == 1, "the held night loads once a person has decided"

    for kind, code in TOLD.items():
        counts, codes = told[at[kind]]
        assert code in codes if code else not codes & set(filter(None, TOLD.values())), kind
        taken = {"missing": 0, "out_of_order": 0, "empty": 0, "truncated": 0, "renamed_column": 0}.get(kind, 1)
        assert counts["deliveries"] == taken, kind
    for kind in ("missing", "empty", "truncated", "out_of_order"):
        assert told[at[kind] + 1][0]["deliveries"] == 2, f"{kind}: the night itself comes with the next one"
    assert told[at["duplicated"]][0]["repeats"] == at["duplicated"] + 1, "the earlier nights, and its own second copy"

    landed = rows(profile, "select as_known_at from ledger.delivery where state = 'landed' order by 1")
    moments = [row["as_known_at"] for row in landed]
    assert len(moments) == council.nights + 1 == len(set(moments)), "every night once, none lost"
    tables = rows(profile, "select dataset, count(*) as n from ledger.landed_table group by 1")
    assert {row["n"] for row in tables} == {council.nights + 1}
    kept_aside = rows(profile, "select dataset, column_name, times_seen from ledger.unknown_column")
    assert [tuple(row.values()) for row in kept_aside] == [("micare__service", "BAND_CODE", 1)]
