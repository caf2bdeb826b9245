"""Suites: which rules apply to a dataset, with thresholds and the owner of the data, as files a colleague can review.

`compile_suite` turns a suite into the SQL of one view over the staged table with a yes-no column for every rule; the
runner and the quarantine ask that view and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from domain.pages import parse
from expectations.rule import Condition, Lookup, Place, RuleError, Severity, Use
from expectations.rules import rule
from governance.sql import identifier

#: Rules that every table has to meet, whether its suite names them or not.
_EVERYWHERE = ("TXT-003",)


class SuiteError(ValueError):
    """A suite cannot be used: says which file, which rule and what is wrong."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a table as a whole is not to be trusted: shares of its rows that would go to quarantine."""

    hold_above: float = 0.10
    refuse_above: float = 0.50
    at_least: int = 25  # rows held, before any share counts: small deltas have wild shares
    codes_alarm_above: float = 0.05  # share of the rows with a code nobody knows: the mapping is out of date (F52)


@dataclass(frozen=True, slots=True)
class Suite:
    dataset: str
    owner: str  # who mends the records
    uses: tuple[Use, ...]
    thresholds: Thresholds

    @property
    def parents(self) -> frozenset[str]:
        """The datasets this one's rows refer to; they are checked before it."""
        return frozenset(str(use.options["parent"]) for use in self.uses if "parent" in use.options) - {self.dataset}


@dataclass(frozen=True, slots=True)
class Check:
    """One rule as the runner evaluates it: `column` of the view is true where the rule is broken."""

    code: str
    severity: Severity
    column: str
    on_removed: bool


@dataclass(frozen=True, slots=True)
class CompiledSuite:
    view: str  # name in schema staging
    select: str
    checks: tuple[Check, ...]


@cache
def all_suites() -> Mapping[str, Suite]:
    """Every suite by its dataset. Raises `SuiteError` when a file cannot be used."""
    pages = sorted((p for p in (files("expectations") / "suites").iterdir()), key=lambda p: p.name)
    suites = [_suite(p.name, parse(p.read_text("utf-8"))) for p in pages if p.name.endswith(".yml")]
    return {suite.dataset: suite for suite in suites}


def in_order(datasets: frozenset[str]) -> list[str]:
    """The datasets with parents before their children, by name among equals.

    Raises:
        SuiteError: parents in a circle, or a dataset without a suite.
    """
    left, ordered = dict.fromkeys(sorted(datasets)), list[str]()
    while left:
        ready = [d for d in left if not (suite_of(d).parents & left.keys())]
        if not ready:
            raise SuiteError(f"these datasets name each other as parents in a circle: {', '.join(left)}")
        ordered += ready
        for dataset in ready:
            del left[dataset]
    return ordered


def suite_of(dataset: str) -> Suite:
    """The suite of a dataset; raises `SuiteError` when there is none."""
    try:
        return all_suites()[dataset]
    except KeyError:
        raise SuiteError(f"there is no suite for {dataset}; write expectations/suites/{dataset}.yml") from None


def compile_suite(
    suite: Suite, place: Place, removed: tuple[str, str] | None, table: str | None = None
) -> CompiledSuite:
    """The suite as a view over `staging.<table>` (default: the dataset's own staging table).

    The view has the table's columns for every row not excluded by policy, `row_is_removed` for tombstones, and one
    yes-no column per rule. Look-ups are joins, so that the work grows with the rows and never with their square.
    """
    table = identifier(table or suite.dataset)
    checks, columns, joins = dict[str, Check](), dict[str, list[str]](), list[Lookup]()
    for number, use in enumerate(suite.uses):
        page = rule(use.rule)
        named = Use(use.rule, f"lookup_{number}", use.fields, use.options, use.severity)
        condition: Condition = page.condition(named, place)
        severity = use.severity or page.severity
        check = Check(page.code, severity, f"breaks_{page.code.lower().replace('-', '_')}", page.on_removed)
        if checks.setdefault(page.code, check).severity != severity:
            raise SuiteError(f"{suite.dataset} uses {page.code} with two severities")
        guard = "" if page.on_removed else "not row_is_removed and "
        columns.setdefault(check.column, []).append(f"coalesce({guard}{condition.breaks}, false)")
        joins += condition.lookups
    return CompiledSuite(f"{table}__checked", _view_sql(table, columns, joins, removed), tuple(checks.values()))


def _view_sql(
    table: str, columns: Mapping[str, list[str]], joins: list[Lookup], removed: tuple[str, str] | None
) -> str:
    is_removed = f"coalesce({identifier(removed[0])} = '{_plain(removed[1])}', false)" if removed else "false"
    found = "".join(f", {j.alias}.key is not null as {j.found}" for j in joins)
    found += "".join(f", {j.alias}.{name} as {j.alias}_{name}" for j in joins for name in j.shows)
    joined = "".join(f" left join ({j.query}) {j.alias} on {j.alias}.key = {_of_staged(j.on)}" for j in joins)
    staged = (
        f"select staged.*{found} from (select *, {is_removed} as row_is_removed from staging.{table} "
        f"where disposition is null) staged{joined}"
    )
    judged = "".join(f", {' or '.join(parts)} as {column}" for column, parts in columns.items())
    return f"select looked_up.*{judged} from ({staged}) looked_up"


def _of_staged(expression: str) -> str:
    # Look-up queries have a single column, `key`; every other name in the expression is the staged row's.
    return f"({expression})"


def _plain(value: str) -> str:
    if not value.isalnum():
        raise SuiteError("the value that marks a removed row is letters and digits only")
    return value


def _suite(page: str, raw: Mapping[str, Any]) -> Suite:
    try:
        uses = tuple(_use(entry) for entry in raw["rules"])
        uses += tuple(Use(code) for code in _EVERYWHERE if code not in {use.rule for use in uses})
        thresholds = Thresholds(**raw.get("thresholds", {}))
        suite = Suite(str(raw["dataset"]), str(raw["owner"]), uses, thresholds)
    except (KeyError, TypeError, RuleError) as problem:
        raise SuiteError(f"expectations/suites/{page}: {problem}") from None
    if page != f"{suite.dataset}.yml":
        raise SuiteError(f"expectations/suites/{page} is the suite of {suite.dataset}; name the file after it")
    return suite


def _use(entry: Mapping[str, Any]) -> Use:
    given = dict(entry)
    code = str(given.pop("rule"))
    rule(code)
    severity = given.pop("severity", None)
    if severity not in (None, "hold", "warn", "info"):
        raise RuleError(f"{code}: severity is hold, warn or info")
    fields = tuple(str(name) for name in given.pop("fields", ()))
    options = {k: tuple(str(v) for v in value) if isinstance(value, list) else str(value) for k, value in given.items()}
    return Use(code, fields=fields, options=options, severity=severity)
