"""A new model version changes nobody by itself: officers see what it would change and approve it; ids stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from linkage import adoption, promotion, stage
from linkage.adoption_approval import approve, take_back
from linkage.adoption_compare import compare
from linkage.promotion import Obstacle
from onestory.cli import app
from tests.support.linkage_council import LinkageCouncil
from tests.support.linkage_numbers import nhs_number

# v1 leaves the first two to a person and v2 links them; the next two the other way round; the last are clear.
MARRIED = {"forename": "Iris", "surname": "Oakhampton", "birth_date": "1941-03-17", "sex": "2", "postcode": "AV1 1AA"}
HOUSEMATES = {"middle_names": "John", "birth_date": "1960-06-06", "sex": "1", "postcode": "AV3 3AA"}
CLEAR = {"forename": "Ruby", "surname": "Yarrow", "birth_date": "1955-07-08", "sex": "2", "postcode": "AV5 5AA"}
PRACTICE = {"gp_practice_code": "A81001"}
OFFICERS = ("A. Guardian", "B. Steward")


@pytest.fixture
def council(database: Profile, admin_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LinkageCouncil]:
    """Linked for one night by v1; since then v2 ships."""
    monkeypatch.setattr(adoption, "current_version", lambda: "v1")
    with LinkageCouncil(database, admin_url) as small:
        small.put("systmone:1", **MARRIED, **PRACTICE, nhs_number_supplied=nhs_number(1))
        changed = MARRIED | {"surname": "Quill", "previous_surname": "Oakhampton", "birth_date": "1941-03-18"}
        small.put("liquidlogic:1", **changed, **PRACTICE)
        walter = {"forename": "Walter", "surname": "Vale", "telephone": "01752000003"}
        ivor = {"forename": "Ivor", "surname": "Zeal", "telephone": "01752000004"}
        small.put("systmone:2", **HOUSEMATES, **PRACTICE, **walter, nhs_number_supplied=nhs_number(2))
        small.put("liquidlogic:2", **HOUSEMATES, **PRACTICE, **ivor)
        small.put("systmone:3", **CLEAR, nhs_number_supplied=nhs_number(3))
        small.put("liquidlogic:3", **CLEAR, nhs_number_supplied=nhs_number(3))
        small.link()
        assert used(small) == "v1", "a council without any run starts with what is shipped; nobody has to approve it"
        monkeypatch.setattr(adoption, "current_version", lambda: "v2")
        yield small


def used(council: LinkageCouncil) -> str:
    return str(council.one("select model_version from ledger.link_run order by link_run_id desc limit 1"))


def kind_of_run(council: LinkageCouncil) -> str:
    query = "select report -> 'method' ->> 'kind_of_run' from ledger.link_run order by link_run_id desc limit 1"
    return str(council.one(query))


def officer(council: LinkageCouncil) -> RunContext:
    return RunContext(council.profile, "by-hand", "an officer")


def approved(council: LinkageCouncil, report: str, version: str = "v2", **given: Any) -> RunResult:
    named = {"officers": OFFICERS, "reason": "the report was read in full"} | given
    return approve(officer(council), version, report=report, **named)


def codes(result: RunResult) -> list[str]:
    return [finding.code for finding in result.findings]


def people(council: LinkageCouncil) -> dict[str, str]:
    return {f"{source}:{key}": person for source, key, person, _ in council.state()[0]}


def test_what_ships_changes_nobody_and_an_approved_version_keeps_ids_by_anchor(council: LinkageCouncil) -> None:
    first = people(council)
    council.night(1)
    council.put("carefirst:9", **CLEAR | {"forename": "Hugh", "birth_date": "1931-01-02", "sex": "1"})
    night = council.link()
    assert (night.state, codes(night), used(council)) == (RunState.DONE, ["MODEL_WAITS"], "v1")
    assert "onestory model compare v1 v2" in night.findings[0].remedy
    before = people(council)
    assert before.items() > first.items(), "the night went on under v1, and nobody changed"
    assert codes(council.link()) == ["MODEL_WAITS"], "also a night without news says that a model waits"

    digest, report = compare(officer(council), "v1", "v2")
    assert people(council) == before, "comparing publishes nothing"
    expected = {"merges": 1, "people_who_would_merge": 2, "splits": 1, "people_who_would_be_made_of_splits": 2}
    assert (
        report["people"].items() >= (expected | {"people_before": 5, "people_after": 5, "people_unchanged": 2}).items()
    )
    assert report["people"].items() >= {"ids_that_would_redirect": 1, "ids_that_would_be_new": 1}.items()
    moves = {(line["from"], line["to"], line["why"], line["pairs"]) for line in report["pairs"]["moves"]}
    assert moves == {("review", "link", "weight", 1), ("link", "review", "weight", 1)}
    assert any("surname shared with a former" in line["pattern"] for line in report["pairs"]["patterns"])
    assert compare(officer(council), "v1", "v2")[0] == digest, "the same data and models give the same report"
    told = json.dumps(report).lower()
    assert not any(value in told for value in ("oakhampton", "quill", "1941-03", nhs_number(1), before["systmone:1"]))

    assert codes(approved(council, digest[:12])) == ["MODEL_APPROVED"]
    night = council.link()
    assert (night.state, used(council), "MODEL_WAITS" in codes(night)) == (RunState.DONE, "v2", False)
    after = people(council)
    for record in ("systmone:1", "systmone:2", "systmone:3", "liquidlogic:3", "carefirst:9"):
        assert after[record] == before[record], "who has the checked number keeps the id"
    assert after["liquidlogic:1"] == after["systmone:1"]
    assert council.connection.execute(
        "select status, superseded_by from identity.person where person_id = %s", (before["liquidlogic:1"],)
    ).fetchone() == ("retired", after["systmone:1"])
    assert after["liquidlogic:2"] not in before.values()
    split_from = council.one("select split_from from identity.person where person_id = %s", after["liquidlogic:2"])
    assert split_from == before["systmone:2"]

    council.night(2)
    council.put("liquidlogic:3", **CLEAR | {"postcode": "AV6 6AA"}, nhs_number_supplied=nhs_number(3))
    night = council.link()
    assert (used(council), kind_of_run(council)) == ("v2", "pairs with at least one changed record")
    assert people(council) == after


def test_an_approval_is_refused_for_other_data_another_model_or_without_officer_and_reason(
    council: LinkageCouncil, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, _ = compare(officer(council), "v1", "v2")
    back, _ = compare(officer(council), "v2", "v1")

    def refused(report: str = digest, version: str = "v2", **given: Any) -> str:
        result = approved(council, report, version, **given)
        assert (result.state, codes(result)) == (RunState.REFUSED, ["MODEL_NOT_APPROVED"])
        return result.findings[0].message

    assert "named officer" in refused(officers=(" ",))
    assert "reason" in refused(reason="")
    assert "12 characters" in refused(digest[:6])
    assert "no difference report" in refused("0" * 64)
    assert "about version v2, not v1" in refused(version="v1")
    assert "in use is v1" in refused(back, "v1")
    with monkeypatch.context() as altered:
        altered.setattr("linkage.adoption_approval.files_digest", lambda version: "another")
        assert "not those the report was made with" in refused()
    council.night(1)
    council.put("carefirst:9", **CLEAR)
    assert "changed since that report" in refused()
    assert council.one("select count(*) from ledger.model_adoption") == 0
    council.link()
    assert used(council) == "v1"


def test_obstacles_have_to_be_explained_before_a_version_is_approved(
    council: LinkageCouncil, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap = Obstacle("EQUALITY_GAP", "ethnic group: Asian", "links are missed more often", "mend or explain")
    with monkeypatch.context() as found:
        found.setattr(promotion, "obstacles", lambda report, explained=(): (gap,))
        digest, report = compare(officer(council), "v1", "v2")
    assert [o["code"] for o in report["obstacles"]] == ["EQUALITY_GAP"]
    assert "EQUALITY_GAP (ethnic group: Asian)" in approved(council, digest).findings[0].message
    explain(council.profile.home / promotion.EXPLANATIONS)
    assert approved(council, digest).state is RunState.DONE
    assert council.one("select explained -> 0 ->> 'subject' from ledger.model_adoption") == "ethnic group: Asian"


def test_an_approved_version_that_meets_obstacles_does_not_stop_the_night(
    council: LinkageCouncil, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = people(council)
    digest, _ = compare(officer(council), "v1", "v2")
    assert approved(council, digest).is_done
    gap = Obstacle("EQUALITY_GAP", "ethnic group: Asian", "links are missed more often", "mend or explain")
    council.night(1)
    council.put("carefirst:9", **CLEAR | {"forename": "Hugh", "birth_date": "1931-01-02"})
    with monkeypatch.context() as found:
        found.setattr(promotion, "obstacles", lambda report, explained=(): () if explained else (gap,))
        night = council.link()
        assert (night.state, used(council)) == (RunState.DONE, "v1")
        assert {"MODEL_HELD", "EQUALITY_GAP"} <= set(codes(night))
        assert people(council).items() > before.items()
        explain(council.profile.home / promotion.EXPLANATIONS)
        assert codes(council.link()).count("MODEL_HELD") == 0
    assert used(council) == "v2"


def test_an_approval_can_be_taken_back_before_a_run_has_followed_it(council: LinkageCouncil) -> None:
    def taken_back() -> RunResult:
        return take_back(officer(council), officers=OFFICERS, reason="the panel meets again")

    assert taken_back().state is RunState.REFUSED, "nothing has been approved"
    digest, _ = compare(officer(council), "v1", "v2")
    assert approved(council, digest).is_done
    assert taken_back().is_done
    assert (codes(council.link()), used(council)) == (["MODEL_WAITS"], "v1")
    assert taken_back().state is RunState.REFUSED


def test_a_pinned_version_needs_an_approval_as_well_and_missing_files_hold_the_night(
    council: LinkageCouncil, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = RunContext(council.profile, "run-9", "a test", settings={"model_version": "v2"})
    monkeypatch.setattr(adoption, "current_version", lambda: "v1")
    assert codes(stage.run(pinned)) == ["MODEL_WAITS"]
    assert codes(council.link()) == []
    council.connection.execute("update ledger.link_run set model_version = 'v0'")
    night = council.link()
    assert (night.state, codes(night)) == (RunState.HELD, ["MODEL_GONE"])


def test_an_officer_lists_compares_and_approves_on_the_command_line(council: LinkageCouncil) -> None:
    page = council.profile.home / "council.yml"
    page.write_text(
        f"""name: Test council
la_code: "990"
synthetic: true
warehouse_url: {council.profile.warehouse_url}
reporting_period: {{start: 2025-04-01, end: 2026-03-31}}
sources: {{}}
""",
        encoding="utf-8",
    )

    def said(*command: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["model", *command], env={"ONESTORY_PROFILE": str(page), "COLUMNS": "200"})
        assert result.exit_code == code, result.output
        return result.output

    assert "no model version v9" in said("compare", "v1", "v9", code=4)
    assert "two" in said("compare", "v1", "v1", code=4)
    shown = said("compare", "v1", "v2")
    assert "the same levels weigh more or less" in shown and "Oakhampton" not in shown
    kept = json.loads((page.parent / "reports" / "model-v1-to-v2.json").read_text(encoding="utf-8"))
    assert kept["digest"][:12] in shown and kept["people"]["merges"] == 1
    assert kept["digest"] in (page.parent / "reports" / "model-v1-to-v2.html").read_text(encoding="utf-8")
    given = ("--officer", "A. Guardian", "--reason", "read")
    assert "MODEL_NOT_APPROVED" in said("approve", "v2", "--report", "0" * 12, *given, code=4)
    assert "MODEL_APPROVED" in said("approve", "v2", "--report", kept["digest"][:12], *given)
    assert "A. Guardian" in said("list")
    assert "MODEL_TAKEN_BACK" in said("take-back", *given)
    assert "forename a nickname" in said("show", "v1") and "Model card: v1" in said("show", "v1")


def explain(path: Path) -> None:
    why = "EQUALITY_GAP,ethnic group: Asian,names in another order; the teams were told,A. Guardian,2026-04-01\n"
    path.write_text("code,subject,explanation,by,on\n" + why, encoding="utf-8")
