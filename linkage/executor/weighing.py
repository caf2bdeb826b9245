"""The select that weighs pairs: every part at once, or the dearest comparison only where it can still matter.

With a line, most candidates are lost whatever their dearest comparison says. They are let go before it: a quarter of
the weighing saved on a hundred thousand by a million records (measured); pairs kept and weights stay the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from linkage.executor.distances import write_condition
from linkage.executor.expressions import Tree, parse_level, settle_one_sided
from linkage.executor.joins import PAIRS, Meeting
from linkage.executor.settings import Comparison, CompiledModel
from linkage.executor.weights import Frequencies, level_column, most_weight, total_weight, weight_column
from linkage.model import Guard

_COLUMN = re.compile(r'\b([lr])\."([^"]+)"')
# DuckDB must not push the line below the sum: it would work every distance out twice. It does not look into this.
_HELD = " + 0.0 * random()"


@dataclass(frozen=True, slots=True)
class Output:
    """What is written for each pair, and from which line on."""

    keep_above: float | None
    guards: tuple[Guard, ...]
    levels: bool


def guard_trees(model: CompiledModel, guards: Sequence[Guard]) -> list[Tree]:
    """The conditions of guards."""
    return [settle_one_sided(parse_level(guard.condition), model.derived) for guard in guards]


def select_pairs(model: CompiledModel, meeting: Meeting, parts: Frequencies, output: Output) -> str:
    """The pairs of `executor_pair` with their weights, those below the line left out, as a select."""
    row = meeting.row
    source = f"{PAIRS} p join {meeting.left} l on l.{row} = p.l join {meeting.right} r on r.{row} = p.r"
    last = None if output.levels or output.guards or output.keep_above is None else _dearest(model, parts)
    if last is None or output.keep_above is None:
        text = _at_once(model, meeting, parts, output, source)
    else:
        text = _dearest_last(model, meeting, parts, output.keep_above, last, source)
    return text if meeting.carried else model.derived.spelled_out(text, "r")


def _at_once(model: CompiledModel, meeting: Meeting, parts: Frequencies, output: Output, source: str) -> str:
    gammas = {c: level_column(c) for c in model.comparisons} if output.levels else {}
    weight = total_weight(model, [weight_column(c, parts, gammas.get(c)) for c in model.comparisons])
    line = output.keep_above
    inner = [*_IDS, f"{weight}{'' if line is None else _HELD} as match_weight"]
    inner += [f'{gamma}::tinyint as "{c.gamma}"' for c, gamma in gammas.items()]
    for number, tree in enumerate(guard_trees(model, output.guards)):
        asked = f"coalesce({write_condition(tree)}, false)"
        if line is not None and all(guard.bits <= 0 for guard in output.guards):
            asked = f"case when p.rule < 0 or {weight} >= {line!r} then {asked} else false end"
        inner.append(f"{asked} as guard_{number}")
    outer = ["left_id", "right_id", "rule_number", "match_weight"]
    guarded = "match_weight"
    for number, guard in enumerate(output.guards):
        outer.append(f"guard_{number}")
        guarded += f" + case when guard_{number} then {guard.bits!r}::double else 0.0 end"
    outer += [f"{guarded} as weight"] if output.guards else []
    outer += [f'"{c.gamma}"' for c in gammas]
    where = "" if line is None else f" where rule_number < 0 or {guarded} >= {line!r}"
    columns = ", ".join([*outer, *_sources(meeting)])
    return f"select {columns} from (select {', '.join(inner)} from {source}) found{where}"


def _dearest_last(
    model: CompiledModel, meeting: Meeting, parts: Frequencies, line: float, last: Comparison, source: str
) -> str:
    first = total_weight(model, [weight_column(c, parts) for c in model.comparisons if c is not last])
    rest = weight_column(last, parts)
    rest = rest if meeting.carried else model.derived.spelled_out(rest, "r")
    handed = sorted(set(_COLUMN.findall(rest)))
    carried = [f'{side}."{name}" as "{side} {name}"' for side, name in handed]
    rest = _COLUMN.sub(r'"\1 \2"', rest)
    inner = [*_IDS, f"{first}{_HELD} as first_weight", f"{most_weight(last, parts)} as most_weight", *carried]
    columns = ", ".join(["left_id", "right_id", "rule_number", "match_weight", *_sources(meeting)])
    return f"""select {columns} from (
        select left_id, right_id, rule_number, first_weight + {rest}{_HELD} as match_weight
          from (select {", ".join(inner)} from {source}) begun
         where rule_number < 0 or first_weight + most_weight >= {line!r}) found
     where rule_number < 0 or match_weight >= {line!r}"""


_IDS = ('l."__id" as left_id', 'r."__id" as right_id', "p.rule::integer as rule_number")


def _sources(meeting: Meeting) -> list[str]:
    if meeting.sources is None:
        return []
    return [f"'{source}' as {side}_source" for source, side in zip(meeting.sources, ("left", "right"), strict=True)]


def _dearest(model: CompiledModel, parts: Frequencies) -> Comparison | None:
    """The comparison that asks for most functions, where the most it can come to is known and others stand by it."""
    known = [c for c in model.comparisons if most_weight(c, parts) is not None]
    cost = {c.name: _functions(c) for c in known}
    dearest = max(known, key=lambda c: cost[c.name], default=None)
    return dearest if dearest is not None and cost[dearest.name] > 1 and len(model.comparisons) > 1 else None


def _functions(comparison: Comparison) -> int:
    trees = [level.condition for level in comparison.levels if level.condition is not None]
    return sum(
        1
        for tree in trees
        for node in tree.walk()
        if isinstance(node, exp.Func) and not isinstance(node, exp.Connector)
    )
