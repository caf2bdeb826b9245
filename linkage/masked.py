"""The hidden-number test: links by number are made again without it, through the same pairs, model and groups.

Hiding a number changes neither a block nor a score, so nothing is compared anew: the pairs of a hidden record keep
their weight without number, and the groups are formed again at every line. What the number said is the truth for them
(linkage handbook 14). Ids and counts only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from linkage.clustering import Constraints, Edge, Node, group_records
from linkage.deterministic import Rule
from linkage.model import Model

if TYPE_CHECKING:
    import duckdb

SHARE_HIDDEN = 20  # per cent, chosen by a hash of the two keys: the same links every time
STEPS = (-5, -2, 0, 2, 5)  # bits the link line is moved by
_BY_NUMBER = f"('{Rule.NHS_VERIFIED}', '{Rule.NHS_CROSS_CHECKED}')"

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

# Missing evidence is counted in the stored levels; the number counts as missing where it is hidden.
_MISSING = '(length(levels) - length(replace(levels, \'"level":"missing"\', \'\'))) // length(\'"level":"missing"\')'


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

    def at(self, line: float) -> Edge:
        """The pair as the engine would hand it to grouping with the link line there."""
        decision, reason = self.decision, self.reason
        if self.by_weight:
            decision, reason = ("link", "") if self.weight >= line else ("review", "weak")
        return Edge(self.left, self.right, self.rule, decision, reason, self.weight)


@dataclass(frozen=True, slots=True)
class Line:
    """What grouping gives with the link line at one place, and what became of the hidden links there."""

    moved_by: int
    line: float
    links: int
    people: int
    linked: int  # records outside health that stand with a record of health
    base: int
    sample: int
    found: int
    wrong: int


@dataclass(frozen=True, slots=True)
class Relinked:
    """The figures at every line, and for the line in use what became of each hidden link."""

    lines: tuple[Line, ...]
    judged: tuple[tuple[int, int, bool, bool], ...]  # record, partner, found, wrong


def relink(calculation: duckdb.DuckDBPyConnection, model: Model, *, is_full: bool) -> Relinked:
    """Hide numbers, form the groups anew at every line of `STEPS`, and judge the hidden links.

    Reads `standard`, `edge_now`, `decided_edge`, `membership_wanted` and, after a full run, `scored`; without that the
    evidence a run keeps has to do, and pairs below the review line are not in it. Leaves the table `hidden_link`.
    """
    calculation.execute(_HIDDEN)
    world = _World(calculation, model, is_full=is_full)
    lines: list[Line] = []
    judged: tuple[tuple[int, int, bool, bool], ...] = ()
    for step in STEPS:
        line, found = world.at(step)
        lines.append(line)
        judged = found if step == 0 else judged
    return Relinked(tuple(lines), judged)


class _World:
    """The records that have any pair, with and without the hidden numbers."""

    def __init__(self, calculation: duckdb.DuckDBPyConnection, model: Model, *, is_full: bool) -> None:
        self.bands = model.bands
        self.constraints = _constraints(calculation)
        self.hidden = [(int(r), int(p)) for r, p in calculation.execute("from hidden_link order by all").fetchall()]
        masked = {record for record, _ in self.hidden}
        self.open = _edges(calculation, len(model.comparisons))
        kept = [e for e in self.open if e.left not in masked and e.right not in masked]
        self.covered = kept + _hidden_edges(calculation, model, is_full=is_full)
        rows = calculation.execute("""
            select record_id, record_key, source, case when nhs_verified then nhs_number end,
                   case when not birth_estimated then year(birth_date) end, is_restricted is distinct from false,
                   nhs_number, person_id
              from standard left join membership_wanted using (record_id) order by record_id""").fetchall()
        tied = {r for e in (*self.open, *self.covered) for r in (e.left, e.right)} | masked
        tied |= {r for pair in self.constraints.together for r in pair}
        self.nodes = {row[0]: Node(*row[:6]) for row in rows if row[0] in tied}
        self.masked_nodes = self.nodes | {r: replace(self.nodes[r], verified_number=None) for r in masked}
        self.number = {row[0]: row[6] for row in rows if row[0] in tied}
        self.person = {row[0]: row[7] for row in rows if row[0] in tied}
        self.alone = len(rows) - len(self.nodes)
        self.health = {row[0] for row in rows if row[2] == "systmone"}
        self.base = sum(row[2] != "systmone" for row in rows)

    def at(self, step: int) -> tuple[Line, tuple[tuple[int, int, bool, bool], ...]]:
        line = self.bands.link + step
        groups = list(self._groups(self.nodes, self.open, line, self.constraints))
        linked = sum(len(g) - len(self.health & set(g)) for g in groups if not self.health.isdisjoint(g))
        hidden = frozenset(record for record, _ in self.hidden)
        free = Constraints(
            **{
                name: frozenset(pair for pair in getattr(self.constraints, name) if hidden.isdisjoint(pair))
                for name in ("together", "apart", "undecided", "attention")
            }
        )
        group_of = {
            record: group for group in self._groups(self.masked_nodes, self.covered, line, free) for record in group
        }
        judged = tuple((r, p, p in group_of[r], self._is_wrong(r, group_of[r])) for r, p in self.hidden)
        found, wrong = sum(j[2] for j in judged), sum(j[3] for j in judged)
        links = sum(e.at(line).decision == "link" for e in self.open)
        people = len(groups) + self.alone
        return Line(step, line, links, people, linked, self.base, len(judged), found, wrong), judged

    def _groups(
        self, nodes: Mapping[int, Node], edges: Sequence[Evidence], line: float, constraints: Constraints
    ) -> Iterator[tuple[int, ...]]:
        yield from group_records(nodes, [e.at(line) for e in edges], constraints, self.bands).groups

    def _is_wrong(self, record: int, group: Sequence[int]) -> bool:
        """Whether somebody else, by a number of his own, is in the group."""
        return any(
            self.number[other] not in (None, self.number[record]) and self.person[other] != self.person[record]
            for other in group
        )


def _constraints(calculation: duckdb.DuckDBPyConnection) -> Constraints:
    """What people decided, read back from the decided pairs."""
    rows = calculation.execute(f"""select left_id, right_id, decision, reason from decided_edge
        where reason in ('{Rule.HUMAN}', 'undecided', 'needs_attention') or rule = '{Rule.HUMAN}'""").fetchall()
    return Constraints(
        together=frozenset((left, right) for left, right, decision, _ in rows if decision == "link"),
        apart=frozenset((left, right) for left, right, decision, _ in rows if decision == "reject"),
        undecided=frozenset((left, right) for left, right, _, reason in rows if reason == "undecided"),
        attention=frozenset((left, right) for left, right, _, reason in rows if reason == "needs_attention"),
    )


def _edges(calculation: duckdb.DuckDBPyConnection, comparisons: int) -> list[Evidence]:
    """The pairs of this run as they are. A weak pair may link at a lower line when its evidence is enough."""
    rows = calculation.execute(f"""
        select left_id, right_id, rule, pair_decision, pair_reason, weight,
               rule = '{Rule.PROBABILISTIC}' and (pair_decision = 'link'
                 or (pair_reason = 'weak' and numbers in ('same', 'missing') and {_MISSING} * 2 <= {comparisons}))
          from (select * replace (levels::varchar as levels) from edge_now)
         where pair_decision <> 'reject' order by left_id, right_id""").fetchall()
    return [Evidence(*row) for row in rows]


def _hidden_edges(calculation: duckdb.DuckDBPyConnection, model: Model, *, is_full: bool) -> list[Evidence]:
    """The pairs of the hidden records on demographics alone: no number, no other id, no mark of a duplicate."""
    lowest = min(model.bands.review, model.bands.link + min(STEPS))
    if is_full:
        source = "scored"
        missing = " + ".join(f"(level_{c.name} = 0)::int" for c in model.comparisons if c.name != "nhs_number")
        guarded = " or ".join(f"warning_{n}" for n, _ in enumerate(model.guards)) or "false"
        missing = f"({missing or '0'} + 1)"
    else:
        source = "(select * replace (levels::varchar as levels) from edge_now)"
        missing, guarded = f"({_MISSING} + (numbers <> 'missing')::int)", "contains(levels, '\"applied\"')"
    rows = calculation.execute(f"""
        select left_id, right_id, '{Rule.PROBABILISTIC}', 'review',
               case when {guarded} then 'guard' else 'little_evidence' end,
               weight_without_number, not ({guarded}) and {missing} * 2 <= {len(model.comparisons)}
          from {source}
         where by_demographics and weight_without_number >= {lowest}
           and (left_id in (select record_id from hidden_link) or right_id in (select record_id from hidden_link))
           and left_id not in (select record_id from standard where is_restricted is distinct from false)
           and right_id not in (select record_id from standard where is_restricted is distinct from false)
         order by left_id, right_id""").fetchall()
    return [Evidence(*row) for row in rows]
