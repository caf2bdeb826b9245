"""Every check of the reconciliation pack (sources hand-book 6.5) over a few facts: when it fails and what it lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.support.cutover_facts import CutoverFacts
from warehouse.cutover.reconcile import ChecksError, load_checks

Break = Callable[[CutoverFacts], None]


@pytest.fixture
def facts() -> Iterator[CutoverFacts]:
    with CutoverFacts() as made:
        everything_equal(made)
        yield made


def everything_equal(facts: CutoverFacts) -> None:
    """Two people with the same work in both systems; the new system calls the team by another code."""
    for key in ("A", "B"):
        facts.both(key, f"person {key}", is_restricted=key == "B")
        facts.pair(f"old:{key}", f"new:{key}")
        for side in ("old", "new"):
            facts.open("allocation", f"{side}:{key}", f"{side}-alloc-{key}", "EAST" if side == "old" else "77")
            facts.open(
                "service", f"{side}:{key}", f"{side}-service-{key}", "Long Term Support: Nursing Care", amount=900.0
            )
            facts.open("safeguarding", f"{side}:{key}", f"{side}-safe-{key}", "open enquiry")
            facts.put("note", source={"old": "micare", "new": "liquidlogic"}[side], person_key=key, notes=200)


def test_two_systems_that_say_the_same_pass_every_check(facts: CutoverFacts) -> None:
    rows = facts.rows()
    assert {row.state for row in rows.values()} == {"pass", "reported"}
    assert {page: (row.old, row.new) for page, row in rows.items() if row.state == "pass"} == {
        **dict.fromkeys(
            ("people_total", "people_clients", "people_open", "allocations", "services", "safeguarding"), (2, 2)
        ),
        **dict.fromkeys(
            ("people_deceased", "unallocated", "reviews", "dols", "carers", "unmapped_codes", "orphans"), (0, 0)
        ),
        "people_restricted": (1, 1),
        "service_cost": (1, 1),
        "notes": (2, 2),
    }


def open_and_left_behind(facts: CutoverFacts) -> None:
    facts.record("old:C", "person C")
    facts.open("service", "old:C", "s")


def another_team(facts: CutoverFacts) -> None:
    for key in "CDE":
        facts.both(key, key)
        facts.open("allocation", f"old:{key}", f"o{key}", "EAST")
        facts.open("allocation", f"new:{key}", f"n{key}", "78" if key == "E" else "77")


def due_again(facts: CutoverFacts) -> None:
    facts.open("review", "old:A", "r1", "overdue")
    facts.open("review", "new:A", "r2", "due")


def sql(statement: str) -> Break:
    def disturb(facts: CutoverFacts) -> None:
        facts.scratch.execute(statement)

    return disturb


def put(table: str, **row: object) -> Break:
    def disturb(facts: CutoverFacts) -> None:
        facts.put(table, **row)

    return disturb


def opened(kind: str, record: str, grp: str) -> Break:
    def disturb(facts: CutoverFacts) -> None:
        facts.open(kind, record, "x1", grp)

    return disturb


#: What goes wrong -> the check that must fail, how it comes about, the reason in the list.
BREAKS: dict[str, tuple[str, Break, str]] = {
    "an open record that did not go over": (
        "people_open",
        open_and_left_behind,
        "not migrated, though work is open",
    ),
    "a restricted flag lost": (
        "people_restricted",
        sql("update person set is_restricted = false where source = 'liquidlogic'"),
        "lost on the way: one_to_one",
    ),
    "an allocation that came under another team": ("allocations", another_team, "counted as 78 in the new system"),
    "nobody allocated any more": (
        "unallocated",
        sql("delete from open_event where event_key = 'new-alloc-A'"),
        "nobody allocated in the new system",
    ),
    "a service that is gone": (
        "services",
        sql("delete from open_event where event_key = 'new-service-A'"),
        "not in the new system",
    ),
    "a price that grew by two per cent": (
        "service_cost",
        sql("update open_event set amount = 918 where event_key = 'new-service-A'"),
        "weekly cost",
    ),
    "a review that is not overdue any more": ("reviews", due_again, "counted as due in the new system"),
    "an enquiry that was never open before": (
        "safeguarding",
        opened("safeguarding", "new:A", "open enquiry"),
        "not in the old system",
    ),
    "an authorisation lost": ("dols", opened("dols", "old:A", "in force"), "not in the new system"),
    "a carer nobody links any more": (
        "carers",
        put("carer", source="micare", event_key="c1", carer_record=1, cared_for_record=3),
        "not linked in the new system",
    ),
    "a code without mapping": (
        "unmapped_codes",
        put("unmapped", kind="service", event_key="s", record_id=2, column_name="service_type"),
        "no mapping",
    ),
    "an event without its person": (
        "orphans",
        put("orphan", kind="review", event_key="r"),
        "its person record is gone",
    ),
    "notes that were left behind": (
        "notes",
        sql("update note set notes = 190 where source = 'liquidlogic'"),
        "fewer notes",
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_each_difference_fails_its_own_check_and_is_listed_with_its_reason(what: str, facts: CutoverFacts) -> None:
    page, disturb, why = BREAKS[what]
    disturb(facts)
    rows = facts.rows()
    assert rows[page].state == "fail"
    assert why in {item.why for item in rows[page].listed if item.verdict == "differs"}


def test_what_only_has_to_be_reported_never_fails(facts: CutoverFacts) -> None:
    facts.scratch.execute("update pair set nhs_number = 'differs', surname = 'lost', postcode = 'gained'")
    facts.put("date_value", dataset="liquidlogic__service", column_name="start_at", filled=9, defaulted=1,
              cut_over_day=7, in_the_future=0, truncated=0)  # fmt: skip
    rows = facts.rows()
    told = ("same_nhs_number", "same_surname", "same_birth_date", "address", "dates")
    assert [(rows[page].state, rows[page].unexplained) for page in told] == [
        ("reported", 2), ("reported", 2), ("reported", 0), ("reported", 0), ("reported", 2),
    ]  # fmt: skip
    assert [(item.why, item.new_amount) for item in rows["dates"].listed] == [("cut over day", 7.0), ("defaulted", 1.0)]


def test_differences_that_a_pattern_explains_do_not_count_against_a_check(facts: CutoverFacts) -> None:
    facts.record("old:C", "person C")  # closed: left behind
    facts.record("old:D", "person A")  # merged into A, with the same enquiry told once more
    facts.claim("new:A", "old:D", "list", 3)
    facts.open("safeguarding", "old:D", "safe-D", "open enquiry")
    facts.record("new:E", "person E")  # new since
    facts.open("safeguarding", "new:E", "safe-E", "open enquiry", start_date=date(2025, 7, 15))
    rows = facts.rows()
    assert (rows["people_total"].state, rows["people_total"].explained) == ("pass", 4)
    assert (rows["safeguarding"].state, rows["safeguarding"].explained) == ("pass", 2)
    assert {item.why for item in rows["people_total"].listed} == {
        "not_migrated",
        "several_to_one",
        "new since the load",
    }


def test_the_lists_hold_keys_and_no_field_that_names_anybody(facts: CutoverFacts) -> None:
    columns = {name for row in facts.rows().values() for item in row.items for name in item.__dataclass_fields__}
    assert columns == {"group", "old_key", "new_key", "in_old", "in_new", "verdict", "why", "old_amount", "new_amount"}


def test_a_council_may_change_rules_and_name_its_teams(facts: CutoverFacts, tmp_path: Path) -> None:
    own = tmp_path / "checks.yml"
    own.write_text(
        "checks:\n  - {page: services, title: Services, rule: share, at_most: 0.6}\n"
        "groups: {allocation: {EAST: '77'}}\n"
    )
    checks, groups = load_checks(own)
    assert (checks[0].rule_in_words, groups["allocation"]["EAST"]) == ("unexplained differences at most 60 %", "77")
    own.write_text("checks:\n  - {page: guesses, title: Guesses, rule: exact}\n")
    with pytest.raises(ChecksError, match="guesses"):
        load_checks(own)
    own.write_text("checks:\n  - {page: services, title: Services, rule: roughly}\n")
    with pytest.raises(ChecksError, match="exact, share"):
        load_checks(own)
