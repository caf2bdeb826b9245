"""Casework, merges, old ids and go-live in the Liquidlogic mart, through every stage, against what was really so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors import conform, stage
from connectors.synthetic.setting import Cutover
from connectors.synthetic.world import MigrationLink
from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from tests.support.liquidlogic_world import Desk, event, person, record, world

NOW = "select * from payload.{} where known_to is null order by event_key"
PERSONS = """select source_person_key, duplicate_of_key, is_marked_duplicate from identity.source_person
             where known_to is null order by source_person_key"""
LEGACY = """select source_person_key, reference_type, reference_value from identity.source_reference
            where known_to is null and reference_key like 'legacy:%' order by source_person_key"""


class Casework(Desk):
    """A desk whose source may have options, and whose nights pass every stage."""

    def option(self, **options: str) -> None:
        source = self.profile.source("liquidlogic")
        self.profile = replace(self.profile, sources=(replace(source, options={**source.options, **options}),))

    def night(self, number: int | None = None) -> RunResult:
        if number is not None:
            self.rebuild(number)
        context = RunContext(self.profile, "night", "test", source="liquidlogic")
        results = [door(context) for door in (stage.run, check.run, conform.run)]
        return results[0]


@pytest.fixture
def desk(database: Profile, tmp_path: Path) -> Casework:
    return Casework(database, tmp_path)


def test_involvements_safeguarding_and_dols_come_out_as_they_really_were(desk: Casework) -> None:
    started = datetime(2025, 3, 3, 9)
    told = [
        event(1, "involvement", start_at=started, end_at=None, status="open",
              facts={"team": "OPNORT", "worker": "10", "role": "allocated worker"}),
        event(2, "involvement", start_at=started, end_at=started,
              facts={"team": "REVIEW", "worker": "7", "role": "reviewing"}),
        event(3, "safeguarding", start_at=started, end_at=None, status="open", changed_night=1,
              changed_status="completed", changed_end_at=datetime(2026, 3, 26),
              facts={"concern_date": "2025-03-03", "enquiry_start_date": "2025-03-05", "enquiry_type": "section 42"},
              changed_facts={"risk_outcome": "reduced", "msp_asked": "asked, outcomes told"}),
        event(4, "dols", start_at=started, end_at=datetime(2025, 4, 1),
              facts={"received_date": "2025-03-03", "decision": "granted", "decided_date": "2025-04-01",
                     "authorised_from": "2025-04-01", "authorised_to": "2026-03-30", "place": "care home"}),
    ]  # fmt: skip
    desk.write(world(events=told, nights=1))
    assert desk.night(0).state is RunState.DONE
    open_one, same_day = desk.rows(NOW.format("involvement"))
    assert (open_one["event_key"], open_one["team_code"], open_one["worker_key"]) == (
        "involvement:810000001", "OPNORT", "10",
    )  # fmt: skip
    assert (open_one["role"], open_one["start_date"], open_one["end_date"]) == (
        "allocated worker", date(2025, 3, 3), None,
    )  # fmt: skip
    assert (same_day["role"], same_day["start_date"], same_day["end_date"]) == (
        "reviewing", date(2025, 3, 3), date(2025, 3, 3),
    )  # fmt: skip
    [concern] = desk.rows(NOW.format("safeguarding"))
    assert (concern["concern_date"], concern["enquiry_start_date"]) == (date(2025, 3, 3), date(2025, 3, 5))
    assert (concern["enquiry_type"], concern["case_status"], concern["concluded_date"]) == ("section 42", "open", None)
    [dols] = desk.rows(NOW.format("dols"))
    assert (dols["received_date"], dols["decided_date"]) == (date(2025, 3, 3), date(2025, 4, 1))
    assert (dols["decision"], dols["place_kind"]) == ("granted", "care home")
    assert (dols["start_date"], dols["end_date"]) == (date(2025, 4, 1), date(2026, 3, 30))
    desk.night(1)
    [concluded] = desk.rows(NOW.format("safeguarding"))
    assert (concluded["case_status"], concluded["concluded_date"]) == ("completed", date(2026, 3, 26)), "closed late"
    assert (concluded["risk_outcome"], concluded["msp_asked"]) == ("reduced", "asked, outcomes told")


def test_text_of_notes_and_answers_stays_in_the_mart_unless_a_question_is_allowed(desk: Casework) -> None:
    desk.write(world(events=[event(1, "assessment"), event(2, "request")], nights=1))
    desk.night(0)

    asked = "select answer from landing.liquidlogic__form_answer where known_to is null order by answer_number"

    def answers() -> list[str | None]:
        return [row["answer"] for row in desk.rows(asked)]

    assert answers() == [None, None, None]
    for kept in desk.rows("select raw_path from ledger.file"):
        found = pq.read_table(kept["raw_path"])
        assert not {"NOTE_TEXT", "OUTCOME_COMMENTS"} & set(found.schema.names)
        assert "key safe" not in str(found.to_pylist())
    desk.option(answers_allowed="Date of last review")
    desk.rebuild(1)
    desk.tamper('update "Adult_Social"."FACT_FORM_ANSWERS" set "MODIF_DTTM" = \'2026-03-26 12:00\'')
    desk.night()
    assert answers() == [None, "31/02/2025", None], "typed dates may be none (sources 3.3); nobody turns them into one"


def test_acceptance_14_a_merged_person_leads_to_the_survivor_through_any_chain_and_loops_are_detected(
    desk: Casework,
) -> None:
    desk.write(world([person(n) for n in range(1, 13)], [record(n) for n in range(1, 13)], nights=0))
    desk.rebuild(0)
    pointers = {n: n + 1 for n in range(1, 8)} | {9: 10, 10: 9, 11: 9, 12: 12}  # 1 to 8; 9 and 10; 11 into it; itself
    for loser, winner in pointers.items():
        desk.tamper(f"""update "Adult_Social"."DIM_PERSON" set "DUPLICATED_DTTM" = '2026-03-01',
            "DUPLICATE_OF_DIM_PERSON_ID" = {100_000 + winner} where "DIM_PERSON_ID" = {100_000 + loser}""")
    assert desk.night().state is RunState.DONE
    found = {row["source_person_key"]: row for row in desk.rows(PERSONS)}
    assert {found[str(100_000 + n)]["duplicate_of_key"] for n in range(1, 8)} == {"100008"}
    assert found["100008"]["duplicate_of_key"] is None and not found["100008"]["is_marked_duplicate"]
    for number in (9, 10, 11, 12):
        looped = found[str(100_000 + number)]
        assert (looped["duplicate_of_key"], looped["is_marked_duplicate"]) == (None, True), "a circle has no survivor"
    told = desk.rows("select failed from ledger.rule_result where rule = 'MRG-001'")
    assert [row["failed"] for row in told] == [4], "and a person is told"


def test_legacy_id_becomes_a_reference_only_where_the_site_says_it_is_the_old_systems(desk: Casework) -> None:
    old = {1: "00123456" + "K", 2: "123456", 3: "MC00120001", 4: "-1"}
    from connectors.micare.person_number import check_letter

    old[1] = "00123456" + check_letter("00123456")
    records = [record(n, references={"micare": typed}) for n, typed in old.items()]
    desk.write(world([person(n) for n in old], records, nights=1))
    desk.night(0)
    assert desk.rows(LEGACY) == [], "unused unless the setting says what it is"
    desk.option(legacy_id="screen_number")
    desk.night(1)
    assert desk.rows(LEGACY) == []
    desk.option(legacy_id="old_system:micare")
    desk.tamper('update "Adult_Social"."MART_REFRESH" set "REFRESHED_DTTM" = \'2026-03-28 04:00\'')
    desk.night()
    whole, third = old[1], "00120001" + check_letter("00120001")
    assert [(row["source_person_key"], row["reference_type"], row["reference_value"]) for row in desk.rows(LEGACY)] == [
        ("100001", "micare_key", whole), ("100002", "micare_key", whole), ("100003", "micare_key", third),
    ]  # fmt: skip


def trial_council() -> tuple[Desk | None, object]:
    """A council that replaces its system: one trial load on night 1, live on night 3; the old records, and one new."""
    old = [replace(record(n), system="micare", key=f"0012000{n}A") for n in (1, 2)]
    events = [replace(event(n, "service", of=n), system="micare", appearance_key=f"0012000{n}A") for n in (1, 2)]
    fields = record(1).versions[0]
    new = [record(n, versions={3: fields}, references={"micare": f"0012000{n}A"}) for n in (1, 2)]
    council = world([person(1), person(2)], [*old, *new], [*events, event(9, "service", recorded_night=3)], nights=4)
    plan = Cutover("micare", "liquidlogic", (1,), 2, 3, 4)
    council.setting = replace(council.setting, cutover=plan)
    council.migration = [MigrationLink(f"0012000{n}A", f"10000{n}", "one_to_one", 2) for n in (1, 2)]
    return None, council


def test_nothing_is_taken_before_go_live_and_the_first_live_night_is(desk: Casework) -> None:
    desk.write(trial_council()[1])  # type: ignore[arg-type]
    desk.option(live_from="2026-03-29")
    for night in (0, 1, 2):
        left = desk.night(night)
        assert "NOT_LIVE" in [finding.code for finding in left.findings]
    assert any("trial load 1" in finding.message for finding in left.findings)
    assert desk.rows("select 1 as one from ledger.landed_table") == []
    assert desk.rows(NOW.format("service")) == []
    assert desk.night(3).state is RunState.DONE
    assert [row["event_key"] for row in desk.rows(NOW.format("service"))] == ["service:610000009"]
    assert len(desk.rows(PERSONS)) == 2


def test_a_trial_load_can_be_read_by_leaving_the_option_out(desk: Casework) -> None:
    desk.write(trial_council()[1])  # type: ignore[arg-type]
    assert desk.night(1).state is RunState.DONE
    assert [row["event_key"] for row in desk.rows(NOW.format("service"))] == ["service:610000001", "service:610000002"]
    assert [row["source_person_key"] for row in desk.rows(PERSONS)] == ["100001", "100002"]


def test_children_and_what_happened_before_eighteen_stay_outside(desk: Casework) -> None:
    child = {"birth_date": "2015-05-05", "surname": "Kanarienkindlein", "forename": "Zzchild1"}
    young = {"birth_date": "2006-06-01"}  # an adult now; eighteen in June 2024
    people = [person(1, relations={"parent": [2]}), person(2, relations={"child": [1]}), person(3)]
    records = [record(1, fields=child), record(2), record(3, fields=young)]
    before = datetime(2024, 2, 1, 9)
    with_child = {"team": "CHILDR", "worker": "3", "role": "duty"}
    events = [event(1, "request"), event(2, "involvement", facts=with_child), event(4, "request", of=2),
              event(3, "assessment", of=3, start_at=before, end_at=before),
              event(5, "safeguarding", facts={"concern_date": "2025-01-01"})]  # fmt: skip
    desk.write(world(people, records, events, nights=0))
    assert desk.night(0).state is RunState.DONE
    assert [row["source_person_key"] for row in desk.rows(PERSONS)] == ["100002", "100003"]
    assert [row["event_key"] for row in desk.rows(NOW.format("request"))] == ["request:10000004"]
    for kind in ("involvement", "assessment", "safeguarding"):
        assert desk.rows(NOW.format(kind)) == [], kind
    excluded = {(r["dataset"], r["reason"]): r["rows"] for r in desk.rows(
        "select t.dataset, e.reason, sum(e.rows)::int as rows from ledger.exclusion e "
        "join ledger.landed_table t using (file_id) group by 1, 2")}  # fmt: skip
    assert excluded["liquidlogic__person", "child"] == 1
    assert excluded["liquidlogic__assessment", "before_18"] == 1
    assert excluded["liquidlogic__person_relation", "points_at_child"] == 1
    for path in (desk.profile.landing / "tables").rglob("*.parquet"):
        assert "Zzchild1" not in str(pq.read_table(path).to_pylist()), path.name
