"""What the hidden-number test reads of a run: hidden links, pairs with and without them, and what people decided.

Hiding a number changes neither a block nor a score, so nothing is compared anew: the pairs of a hidden record keep
their weight without number (linkage handbook 14). Ids and weights only.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from linkage.clustering import Constraints, Edge
from linkage.deterministic import Rule
from linkage.model import Model

if TYPE_CHECKING:
    import duckdb

SHARE_HIDDEN = 20  # per cent, chosen by a hash of the two keys: the same links every time
_BY_NUMBER = f"('{Rule.NHS_VERIFIED}', '{Rule.NHS_CROSS_CHECKED}')"
_CONSTRAINTS = tuple(field.name for field in fields(Constraints) if field.name != "alone")  # each a set of pairs

# The number is hidden on the side whose source holds fewer numbers: that is where numbers are missing in life.
_HIDDEN = f"""create or replace table hidden_link as
with presence as (select source, avg((nhs_number is not null)::int) as share from standard group by source),
chosen as (
  select e.left_id, e.right_id, coalesce((pl.share, l.record_key) < (pr.share, r.record_key), false) as is_left
    from decided_edge e
    join standard l on l.record_id = e.left_id join presence pl on pl.source = l.source
    join standard r on r.record_id = e.right_id join presence pr on pr.source = r.source
   where e.rule in {_BY_NUMBER} and e.decision = 'link' and l.source <> r.source
     and l.is_restricted = false and r.is_restricted = false   -- protected people are linked by verified numbers only
     and hash(least(l.record_key, r.record_key) || greatest(l.record_key, r.record_key)) % 100 < {SHARE_HIDDEN}
)
select case when is_left then left_id else right_id end as record_id,
       case when is_left then right_id else left_id end as partner_id from chosen"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One pair: its decision where a rule made it, or whether its weight may link it at all."""

    left: int
    right: int
    rule: str
    decision: str
    reason: str
    weight: float
    by_weight: bool  # decided by the line alone, and nothing else speaks against it
    parts: tuple[float, ...]  # what each comparison but the number gives of the weight

    def weight_without(self, place: int | None) -> float:
        """Its weight, or that without the field at this place of `fields_of`."""
        return self.weight if place is None or not self.parts else self.weight - self.parts[place]

    def turns(self, line: float, without: int | None, used: float) -> bool:
        """Whether its decision is another with the link line there, or with one field left out."""
        return self.by_weight and (self.weight_without(without) >= line) != (self.weight >= used)

    def at(self, line: float, without: int | None = None) -> Edge:
        """The pair as the engine would hand it to grouping with the link line there, or with one field left out."""
        decision, reason = self.decision, self.reason
        weight = self.weight_without(without)
        if self.by_weight:
            decision, reason = ("link", "") if weight >= line else ("review", "weak")
        return Edge(self.left, self.right, self.rule, decision, reason, weight)


def hide(calculation: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    """Choose the hidden links: the record whose number is hidden, and its partner. Fills the table `hidden_link`."""
    calculation.execute(_HIDDEN)
    return [(int(r), int(p)) for r, p in calculation.execute("from hidden_link order by all").fetchall()]


def read_constraints(calculation: duckdb.DuckDBPyConnection) -> Constraints:
    """What people decided about pairs, and the do-not-link list, as the run was given them (`constraint_used`)."""
    pairs: dict[str, set[tuple[int, int]]] = {name: set() for name in _CONSTRAINTS}
    alone: set[int] = set()
    for kind, left, right in calculation.execute("from constraint_used").fetchall():
        if kind == "alone":
            alone.add(left)
        else:
            pairs[kind].add((left, right))
    return Constraints(**{name: frozenset(found) for name, found in pairs.items()}, alone=frozenset(alone))


def constraint_rows(constraints: Constraints) -> list[tuple[str, int, int | None]]:
    """The same as rows: kind, left and right; of a record that must stay alone only the first."""
    rows: list[tuple[str, int, int | None]] = [("alone", record, None) for record in sorted(constraints.alone)]
    return rows + [(name, *pair) for name in _CONSTRAINTS for pair in sorted(getattr(constraints, name))]


def decided_pairs(constraints: Constraints) -> set[tuple[int, int]]:
    """Every pair that somebody said anything about."""
    return {pair for name in _CONSTRAINTS for pair in getattr(constraints, name)}


def without_what_names(constraints: Constraints, hidden: frozenset[int]) -> Constraints:
    """The constraints of a council that knows no number of the hidden records: what was said of them is forgotten.

    The do-not-link list overrides every step, so it stays (governance PRO-4).
    """
    kept = {
        name: frozenset(pair for pair in getattr(constraints, name) if hidden.isdisjoint(pair))
        for name in _CONSTRAINTS
        if name != "never"
    }
    return Constraints(**kept, never=constraints.never, alone=constraints.alone)


def fields_of(model: Model) -> list[str]:
    """The comparisons that can be left out: all but the number, which is hidden anyway."""
    return [c.name for c in model.comparisons if c.name != "nhs_number"]


def open_edges(calculation: duckdb.DuckDBPyConnection, model: Model) -> list[Evidence]:
    """The pairs of this run as they are. A weak pair may link at a lower line when its evidence is enough."""
    rows = calculation.execute(f"""
        select left_id, right_id, rule, pair_decision, pair_reason, round(weight, 6),
               coalesce(rule = '{Rule.PROBABILISTIC}' and (pair_decision = 'link'
                 or (pair_reason = 'weak' and numbers in ('same', 'missing')
                     and {_missing(model)} * 2 <= {len(model.comparisons)})), false), {_parts(model)}
          from {_told(model)} where pair_decision <> 'reject' order by left_id, right_id""").fetchall()
    return [_evidence(row) for row in rows]


def hidden_edges(
    calculation: duckdb.DuckDBPyConnection, model: Model, lowest: float, *, is_full: bool
) -> list[Evidence]:
    """The pairs of the hidden records on demographics alone: no number, no other id, no mark of a duplicate."""
    if is_full:
        source = "scored"
        missing = " + ".join(f"(level_{name} = 0)::int" for name in fields_of(model))
        guarded = " or ".join(f"warning_{n}" for n, _ in enumerate(model.guards)) or "false"
        missing = f"({missing or '0'} + 1)"
        parts = f"[{', '.join(f'weight_{name}' for name in fields_of(model))}]"
    else:
        source, parts = _told(model), _parts(model)
        missing = f"({_missing(model)} + (numbers <> 'missing')::int)"
        guarded = " or ".join(f"told.\"{g.name}\".level = 'applied'" for g in model.guards) or "false"
    rows = calculation.execute(f"""
        select left_id, right_id, '{Rule.PROBABILISTIC}', 'review',
               case when {guarded} then 'guard' else 'little_evidence' end,
               round(weight_without_number, 6), not ({guarded}) and {missing} * 2 <= {len(model.comparisons)}, {parts}
          from {source}
         where by_demographics
           and (left_id in (select record_id from hidden_link) or right_id in (select record_id from hidden_link))
           and weight_without_number - least(0.0, list_min({parts})) >= {lowest}
           and left_id not in (select record_id from standard where is_restricted is distinct from false)
           and right_id not in (select record_id from standard where is_restricted is distinct from false)
         order by left_id, right_id""").fetchall()
    return [_evidence(row) for row in rows]


def told_levels(model: Model, start: str | None = None) -> str:
    """A stored `levels` read once, as a structure: every part with its level and weight."""
    names = [*([start] if start else []), *(c.name for c in model.comparisons), *(g.name for g in model.guards)]
    shape = ", ".join(f'"{name}": {{"level": "VARCHAR", "weight": "DOUBLE"}}' for name in names)
    return f"from_json(levels::varchar, '{{{shape}}}')"


def _told(model: Model) -> str:
    return f"(select *, {told_levels(model)} as told from edge_now)"


def _parts(model: Model) -> str:
    return f"[{', '.join(f'told.{name}.weight' for name in fields_of(model))}]"


def _missing(model: Model) -> str:
    """How many comparisons of a stored pair are missing; the number counts as missing where it is hidden."""
    return "(" + " + ".join(f"(told.{c.name}.level = 'missing')::int" for c in model.comparisons) + ")"


def _numbers(parts: list[float | None] | None) -> tuple[float, ...]:
    return tuple(part or 0.0 for part in parts or ())


def _evidence(row: tuple[Any, ...]) -> Evidence:
    left, right, rule, decision, reason, weight, by_weight, parts = row
    return Evidence(left, right, rule, decision, reason, weight, by_weight, _numbers(parts))
