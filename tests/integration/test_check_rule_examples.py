"""Every rule judges its own examples as its page says, through Great Expectations on a real database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from domain.profile import Profile
from expectations import staging
from expectations.rule import Example, Place, Rule, Use
from expectations.rules import all_rules
from expectations.runner import Runner
from expectations.suites import Suite, Thresholds, compile_suite
from governance.sql import run_page
from governance.store import Store

_TABLE = "liquidlogic__example"


def test_every_rule_has_a_passing_and_a_failing_example() -> None:
    lacking = {code for code, rule in all_rules().items() if {e.breaks for e in rule.examples} != {True, False}}
    assert not lacking


def test_every_rule_judges_its_examples_as_it_says(database: Profile) -> None:
    store = Store(database)
    wrong: dict[str, list[str]] = defaultdict(list)
    with Runner(store.url("loader")) as runner:
        for rule in all_rules().values():
            for group in _groups(rule):
                expected = {n for n, example in enumerate(group, 1) if example.breaks}
                found, failed = _judge(store, runner, rule, group)
                if found != expected or failed != len(expected):
                    wrong[rule.code].append(f"{group[0].options}: lines {found}, count {failed}, expected {expected}")
    assert not wrong


def _groups(rule: Rule) -> Iterator[list[Example]]:
    groups = defaultdict(list)
    for example in rule.examples:
        groups[(example.fields, tuple(sorted(example.options.items())), example.known)].append(example)
    yield from groups.values()


def _judge(store: Store, runner: Runner, rule: Rule, examples: list[Example]) -> tuple[set[int], int]:
    first = examples[0]
    fields = tuple(first.row)
    place = Place(_TABLE, (fields[0],), fields, datetime(2026, 3, 31, tzinfo=UTC))
    use = Use(rule.code, fields=first.fields, options=first.options)
    compiled = compile_suite(Suite(_TABLE, "nobody", (use,), Thresholds()), place, None)
    with store.connect("loader") as connection:
        for dataset, key, raw in first.known:
            if dataset == "code":
                connection.exec_driver_sql(
                    "insert into landing.code_map values ('liquidlogic', %s, %s, 'clean')", (key, raw)
                )
            else:
                told = dict(field.split("=") for field in raw.split())
                connection.exec_driver_sql(
                    f"""insert into landing.{dataset} (row_key, is_removed, landed_file_id, landed_line, row_digest,
                        known_from{"".join(f", {name}" for name in told)})
                        values (%s, false, 1, 1, '', now(){", %s" * len(told)}) on conflict do nothing""",
                    (key, *told.values()),
                )
        staging.create(connection, _TABLE, fields, place.key)
    rows = [{**example.row, "landed_line": n} for n, example in enumerate(examples, 1)]
    staging.load_rows(store, _TABLE, rows, {"landed_line": int, **dict.fromkeys(fields, str)})
    with store.connect("loader") as connection:
        run_page(connection, f"create view staging.{compiled.view} as {compiled.select}")
        (check,) = compiled.checks
        lines = connection.exec_driver_sql(f"select landed_line from staging.{compiled.view} where {check.column}")
        found = set(lines.scalars())
    (result,) = runner.validate(compiled.view, compiled.checks, len(rows))
    assert result.evaluated == len(rows)
    return found, result.failed


def test_a_tombstone_is_judged_by_its_key_only(database: Profile) -> None:
    store, fields = Store(database), ("row_id", "visible_to", "patient_id", "removed")
    place = Place(_TABLE, ("row_id",), fields, datetime(2026, 3, 31, tzinfo=UTC))
    uses = (Use("KEY-001", fields=("row_id",)), Use("REQ-001", fields=("patient_id",)))
    compiled = compile_suite(Suite(_TABLE, "nobody", uses, Thresholds()), place, ("removed", "1"))
    rows = [
        {"landed_line": 1, "row_id": "7", "visible_to": "NLX99", "removed": "1"},
        {"landed_line": 2, "row_id": "", "visible_to": "NLX99", "removed": "1"},
        {"landed_line": 3, "row_id": "8", "visible_to": "NLX99", "patient_id": "", "removed": "0"},
    ]
    with store.connect("loader") as connection:
        staging.create(connection, _TABLE, fields, place.key)
    staging.load_rows(store, _TABLE, rows, {"landed_line": int, **dict.fromkeys(fields, str)})
    with store.connect("loader") as connection:
        run_page(connection, f"create view staging.{compiled.view} as {compiled.select}")
    with Runner(store.url("loader")) as runner:
        key, required = runner.validate(compiled.view, compiled.checks, 3)
    assert (key.evaluated, key.failed) == (3, 1)
    assert (required.evaluated, required.failed) == (1, 1)


@pytest.mark.parametrize("code", sorted(all_rules()))
def test_every_rule_speaks_to_both_its_readers(code: str) -> None:
    rule = all_rules()[code]
    for text in (rule.text, rule.why, rule.remedy, rule.affects):
        assert text.endswith(".")
        assert len(text) > 12
