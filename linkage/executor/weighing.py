"""The selects that weigh pairs: a sieve for those that can still reach the line, and the weight of what is left.

With a line, most candidates are lost whatever the rest of them says. The sieve asks what is cheap, and the one dear
comparison that tells most for its cost: of a hundred thousand by a million records it leaves one candidate in
seventeen, and half of the weighing is saved (measured); pairs kept and weights stay the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from linkage.executor.distances import write_condition
from linkage.executor.expressions import Tree, parse_level, settle_one_sided
from linkage.executor.joins import PAIRS, Meeting
from linkage.executor.settings import CompiledModel
from linkage.executor.sieve import most_weight, parted
from linkage.executor.weights import Frequencies, level_column, total_weight, weight_column
from linkage.model import Guard

# DuckDB must not push the line below the sum: it would work every distance out twice. It does not look into this.
_HELD = " + 0.0 * random()"
_SLACK = 1e-6  # sums in another order differ by less: no pair is let go that the last word would keep
_IDS = ('l."__id" as left_id', 'r."__id" as right_id', "p.rule::integer as rule_number")


@dataclass(frozen=True, slots=True)
class Output:
    """What is written for each pair, and from which line on."""

    keep_above: float | None
    guards: tuple[Guard, ...]
    levels: bool


def guard_trees(model: CompiledModel, guards: Sequence[Guard]) -> list[Tree]:
    """The conditions of guards."""
    return [settle_one_sided(parse_level(guard.condition), model.derived) for guard in guards]


def select_first(pairs: str) -> str:
    """The pairs (l, r, rule) of a table, each once with its first rule, as a select."""
    return f"select l, r, min(rule) as rule from {pairs} group by l, r"


def select_sieved(
    model: CompiledModel, meeting: Meeting, parts: Frequencies, output: Output, line: float, pairs: str
) -> str:
    """Of the pairs (l, r, rule) of a table those that can reach the line, each once with its first rule: a select."""
    asked, others = parted(model, carried=meeting.carried)
    most = total_weight(model, [*(weight_column(c, parts) for c in asked),
                                *(most_weight(c, model, parts, carried=meeting.carried) for c in others)])  # fmt: skip
    most = most if meeting.carried else model.derived.spelled_out(most, "r")
    line -= sum(max(guard.bits, 0.0) for guard in output.guards) + _SLACK
    return f"""select l, r, min(rule) as rule
        from (select p.l, p.r, p.rule, {most}{_HELD} as most from {_source(meeting, pairs)}) asked
       where rule < 0 or most >= {line!r} group by l, r"""


def select_pairs(model: CompiledModel, meeting: Meeting, parts: Frequencies, output: Output) -> str:
    """The pairs of `executor_pair` with their weights, those below the line left out, as a select."""
    weight = total_weight(model, [weight_column(c, parts) for c in model.comparisons])
    line = output.keep_above
    inner = [*_IDS, f"{weight}{'' if line is None else _HELD} as match_weight"]
    gammas = [f'"{c.gamma}"' for c in model.comparisons] if output.levels else []
    inner += [f"{level_column(c)}::tinyint as {name}" for c, name in zip(model.comparisons, gammas, strict=False)]
    guards, sums = [], ["match_weight"]
    for number, (guard, tree) in enumerate(zip(output.guards, guard_trees(model, output.guards), strict=True)):
        guards.append(f"guard_{number}")
        inner.append(f"coalesce({write_condition(tree)}, false) as {guards[-1]}")
        sums.append(f"case when {guards[-1]} then {guard.bits!r}::double else 0.0 end")
    told = ["left_id", "right_id", "rule_number", "match_weight", *guards]
    told += [*([f"{' + '.join(sums)} as weight"] if guards else []), *gammas]
    if meeting.sources is not None:
        told += [f"'{s}' as {side}_source" for s, side in zip(meeting.sources, ("left", "right"), strict=True)]
    where = "" if line is None else f" where rule_number < 0 or {' + '.join(sums)} >= {line!r}"
    text = f"select {', '.join(told)} from (select {', '.join(inner)} from {_source(meeting, PAIRS)}) found{where}"
    return text if meeting.carried else model.derived.spelled_out(text, "r")


def _source(meeting: Meeting, pairs: str) -> str:
    row = meeting.row
    return f"{pairs} p join {meeting.left} l on l.{row} = p.l join {meeting.right} r on r.{row} = p.r"
