"""The offline way: exports of the mart as CSV, one file a table and a control file, holding what the mart holds."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors import conform, stage
from connectors.liquidlogic.connector import make
from connectors.spec import table_specs
from connectors.synthetic import liquidlogic
from connectors.synthetic.reporting_database import night_rows
from domain.profile import Profile, ProfileError, SourceSettings
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from tests.support.liquidlogic_world import Desk, event, person, record, world

REQUESTS = "select event_key, start_date, description from payload.request where known_to is null order by event_key"


class Exports(Desk):
    """A desk where somebody writes exports of the mart's nights into a folder."""

    def __init__(self, profile: Profile, home: Path, **options: str) -> None:
        super().__init__(profile, home)
        source = SourceSettings("liquidlogic", "liquidlogic", {"folder": "exports", **options})
        self.profile, self.folder = replace(profile, sources=(source,)), profile.home / "exports"
        self.encoding = options.get("encoding", "utf-8-sig")

    def export(self, night: int) -> Path:
        folder = self.folder / f"HDM_{night}"
        folder.mkdir(parents=True, exist_ok=True)
        stamp = night_rows(self.supply, "liquidlogic", night, "MART_REFRESH").to_pylist()[0]["REFRESHED_DTTM"]
        control = [("TABLE_NAME", "ROW_COUNT", "REFRESHED_DTTM")]
        for spec in table_specs("liquidlogic").values():
            rows = night_rows(self.supply, "liquidlogic", night, spec.table).to_pylist()
            headings = [c.name for c in spec.columns if c.name != "ANSWER"]
            (folder / f"{spec.table}.csv").write_bytes(self._csv(headings, [[r[h] for h in headings] for r in rows]))
            control.append((spec.table, str(len(rows)), stamp.isoformat(" ")))
        (folder / "CONTROL.csv").write_bytes(self._csv(control[0], control[1:]))
        return folder

    def _csv(self, headings: Any, rows: Any) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows([headings, *rows])
        return text.getvalue().encode(self.encoding)

    def night(self) -> RunResult:
        context = RunContext(self.profile, "night", "test", source="liquidlogic")
        landed = stage.run(context)
        check.run(context)
        conform.run(context)
        return landed


def council(desk: Exports) -> None:
    events = [event(1, "request", facts={"description": "Café, “smart” quotes"}), event(2, "service"),
              event(3, "request", recorded_night=1)]  # fmt: skip
    liquidlogic.write(world([person(1)], [record(1)], events, nights=2), desk.supply)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_acceptance_07_exports_load_in_either_encoding_and_quotes_survive(
    database: Profile, tmp_path: Path, encoding: str
) -> None:
    desk = Exports(database, tmp_path, **({} if encoding == "utf-8" else {"encoding": encoding}))
    council(desk)
    desk.export(0)
    landed = desk.night()
    assert landed.state is RunState.DONE, landed.findings
    assert {finding.code for finding in landed.findings} <= {"OPTIONAL_COLUMN_MISSING"}, (
        "a mark at the start is expected"
    )
    [request] = desk.rows(REQUESTS)
    assert (request["event_key"], request["description"]) == ("request:10000001", "Café, “smart” quotes")
    desk.export(1)
    assert desk.night().counts["deliveries"] == 1
    assert len(desk.rows(REQUESTS)) == 2
    assert desk.night().counts["repeats"] == 2, "both are known again"


def test_exports_that_are_not_whole_wait_and_load_when_they_are(database: Profile, tmp_path: Path) -> None:
    desk = Exports(database, tmp_path)
    council(desk)
    folder = desk.export(0)
    for name, code in (("CONTROL.csv", "CONTROL_MISSING"), ("FACT_DOLS.csv", "TABLE_MISSING")):
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        held = desk.collect()
        assert (held.state, held.findings[0].code) == (RunState.HELD, code)
        (folder / name).write_bytes(content)
    whole = (folder / "FACT_CONTACTS.csv").read_bytes()
    (folder / "FACT_CONTACTS.csv").write_bytes(whole + whole.split(b"\r\n", 1)[1])
    assert desk.collect().findings[0].code == "ROW_COUNT"
    assert desk.rows("select 1 as one from ledger.landed_table") == []
    (folder / "FACT_CONTACTS.csv").write_bytes(whole)
    assert desk.collect().counts["deliveries"] == 1


def test_an_export_with_free_text_is_refused(database: Profile, tmp_path: Path) -> None:
    desk = Exports(database, tmp_path)
    council(desk)
    folder = desk.export(0)
    path = folder / "FACT_CASENOTES.csv"
    path.write_bytes(path.read_bytes().replace(b"MODIF_DTTM\r\n", b"MODIF_DTTM,NOTE_TEXT\r\n", 1))
    refused = desk.collect()
    assert (refused.state, refused.findings[0].code) == (RunState.REFUSED, "FREE_TEXT")


def test_a_source_has_one_way_in(database: Profile) -> None:
    for options in ({"url": "x", "folder": "y"}, {"folder": "y", "encoding": "latin-9"}):
        with pytest.raises(ProfileError, match="either url or folder"):
            make(database, SourceSettings("liquidlogic", "liquidlogic", options))
