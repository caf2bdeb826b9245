"""Compares the replaced system with the new one, check by check, and says pass or fail with the list behind it.

A check is a page of SQL over gathered facts (`facts.py`) and a rule of `checks.yml`. Lists hold suppliers' keys, never
a name; whoever may open the systems looks there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from governance.store import Store
from warehouse.cutover.facts import Moment, gather
from warehouse.cutover.patterns import Pattern, recognise
from warehouse.cutover.plan import CutoverPlan

if TYPE_CHECKING:
    import duckdb

Rule = Literal["exact", "share", "amounts", "none", "report"]
State = Literal["pass", "fail", "reported"]
_RULES = ("exact", "share", "amounts", "none", "report")


class ChecksError(ValueError):
    """The page of checks cannot be used: says which line and why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the pack: its page, the rule by which it passes, whether failing is a confidentiality incident."""

    page: str
    title: str
    rule: Rule
    at_most: float = 0.0
    note: str = ""
    incident: bool = False

    @property
    def rule_in_words(self) -> str:
        return {
            "exact": "no unexplained difference",
            "share": f"unexplained differences at most {100 * self.at_most:g} %",
            "amounts": f"sums of every group within {100 * self.at_most:g} %",
            "none": "none",
            "report": "reported",
        }[self.rule]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was compared: keys, the verdict, and why. Amounts are given where the check is about amounts."""

    group: str
    old_key: str
    new_key: str
    in_old: bool
    in_new: bool
    verdict: Literal["ok", "explained", "differs"]
    why: str
    old_amount: float | None
    new_amount: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One check with its figures; `items` are everything it compared."""

    check: Check
    state: State
    old: int
    new: int
    explained: int
    unexplained: int
    items: tuple[Item, ...]

    @property
    def listed(self) -> tuple[Item, ...]:
        """The list behind the row: what is not simply equal, unexplained first."""
        odd = [item for item in self.items if item.verdict != "ok"]
        return tuple(sorted(odd, key=lambda i: (i.verdict != "differs", i.group, i.old_key, i.new_key, i.why)))


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One load compared with the old system. `rows` in the order of the pack."""

    load: int
    is_trial: bool
    day: str
    old: str
    new: str
    rows: tuple[Row, ...]
    patterns: tuple[Pattern, ...]
    held: tuple[tuple[str, str, int], ...] = ()  # table, rule, rows that wait in quarantine and were not compared
    restricted: frozenset[str] = frozenset()  # keys of restricted people of either system: on no list but their own

    @property
    def passed(self) -> bool:
        return all(row.state != "fail" for row in self.rows)

    @property
    def pattern_counts(self) -> dict[str, int]:
        return dict(Counter(pattern.pattern for pattern in self.patterns))


def load_checks(path: Path | None = None) -> tuple[tuple[Check, ...], Mapping[str, Mapping[str, str]]]:
    """The checks and the named groups, from `path` or from the house's own page. Raises `ChecksError`."""
    text = path.read_text("utf-8") if path else (files(__package__) / "checks.yml").read_text("utf-8")
    raw = yaml.safe_load(text)
    try:
        checks = tuple(Check(**{"note": "", **line}) for line in raw["checks"])
    except (TypeError, KeyError) as problem:
        raise ChecksError(f"checks: {problem}") from None
    for check in checks:
        if check.rule not in _RULES:
            raise ChecksError(f"{check.page}: the rule is one of {', '.join(_RULES)}")
        if not (files(__package__) / "checks" / f"{check.page}.sql").is_file():
            raise ChecksError(f"there is no check {check.page}")
    return checks, raw.get("groups") or {}


def reconcile(store: Store, plan: CutoverPlan, moment: Moment, checks: Path | None = None) -> Reconciliation:
    """Compare both systems as they stand in the warehouse of `store`.

    Raises `ChecksError` when the page of checks cannot be used.
    """
    wanted, groups = load_checks(checks)
    scratch = gather(store, plan, moment)
    try:
        patterns = recognise(scratch)
        prepare(scratch, groups)
        rows = tuple(ask(scratch, check) for check in wanted)
        restricted = scratch.execute("select distinct person_key from person where is_restricted").fetchall()
        held = scratch.execute("select dataset, rule, waiting from held order by all").fetchall()
    finally:
        scratch.close()
    is_trial = moment.load < plan.go_live_load
    waiting = tuple((str(dataset), str(rule), int(rows)) for dataset, rule, rows in held)
    day = moment.day.isoformat()
    keys = frozenset(str(key) for (key,) in restricted)
    return Reconciliation(moment.load, is_trial, day, plan.old, plan.new, rows, tuple(patterns), waiting, keys)


def prepare(scratch: duckdb.DuckDBPyConnection, groups: Mapping[str, Mapping[str, str]]) -> None:
    """Make what the checks share; groups nobody named are read as the new name most of their people have."""
    named = [(kind, old, new) for kind, pairs in groups.items() for old, new in pairs.items()]
    scratch.execute("create table group_named (kind varchar, old_group varchar, new_group varchar)")
    if named:
        scratch.executemany("insert into group_named values (?, ?, ?)", named)
    scratch.execute("""
        create table group_map as
        with met as (
          select o.kind, o.grp as old_group, n.grp as new_group, count(*) as people
            from open_event o join person op on op.record_id = o.record_id
            join person np on np.person_id = op.person_id
            join open_event n on n.record_id = np.record_id and n.kind = o.kind
            cross join setting s
           where o.source = s.old and n.source = s.new and o.kind = 'allocation' group by all
        )
        from group_named
        union all
        select kind, old_group, new_group from met m
         where not exists (select 1 from group_named g where g.kind = m.kind and g.old_group = m.old_group)
       qualify row_number() over (partition by kind, old_group order by people desc, new_group) = 1""")
    scratch.execute((files(__package__) / "items.sql").read_text("utf-8"))


def ask(scratch: duckdb.DuckDBPyConnection, check: Check) -> Row:
    """One check over the prepared facts."""
    page = (files(__package__) / "checks" / f"{check.page}.sql").read_text("utf-8").strip()
    columns = "grp, old_key, new_key, in_old, in_new, verdict, why, old_amount, new_amount"
    found = scratch.execute(f"select {columns} from ({page}) order by all").fetchall()
    items = tuple(_item(row) for row in found)
    unexplained = sum(item.verdict == "differs" for item in items)
    old, new = _counted(items, old=True), _counted(items, old=False)
    return Row(
        check=check,
        state=_state(check, items, unexplained),
        old=old,
        new=new,
        explained=sum(item.verdict == "explained" for item in items),
        unexplained=unexplained,
        items=items,
    )


def _item(row: Sequence[Any]) -> Item:
    group, old_key, new_key, in_old, in_new, verdict, why, old_amount, new_amount = row
    return Item(
        str(group or ""), str(old_key or ""), str(new_key or ""), bool(in_old), bool(in_new), verdict, str(why or ""),
        old_amount, new_amount,
    )  # fmt: skip


def _counted(items: Sequence[Item], *, old: bool) -> int:
    """How many the side has; a key that appears in several items (records merged or split) counts once."""
    keys = [item.old_key if old else item.new_key for item in items if (item.in_old if old else item.in_new)]
    named = {key for key in keys if key}
    return len(named) + sum(not key for key in keys)


def _state(check: Check, items: Sequence[Item], unexplained: int) -> State:
    if check.rule == "report":
        return "reported"
    if check.rule == "share":
        return "pass" if unexplained <= check.at_most * max(len(items), 1) else "fail"
    if check.rule == "amounts":
        return "pass" if all(_within(item, check.at_most) for item in items) else "fail"
    return "pass" if unexplained == 0 else "fail"


def _within(item: Item, at_most: float) -> bool:
    old, new = item.old_amount or 0.0, item.new_amount or 0.0
    return abs(old - new) <= at_most * old
