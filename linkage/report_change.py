"""What is different from the run before: inputs, parameters, links, and people merged and split with the reason.

Section 10 of the linkage report (governance 4.1). What a measure owes to linkage alone is told on the records that both
runs have: the same records, counted by who was who before and by who is who now. Counts only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from linkage.clustering import Constraints
from linkage.inputs import Decision
from linkage.masked_evidence import read_constraints
from linkage.model import Model

if TYPE_CHECKING:
    import duckdb

_MOVED = 0.01  # a measure that moves more than this because of linkage alone is named
_NOT_FOLLOWED = ("needs_notice", "restricted", "do_not_link", "needs_attention")  # and each says so

# Who was who before and is now, of the records that both runs have.
_BOTH = """create or replace temp table in_both as
select record_id, b.person_id as before, w.person_id as now, s.source, s.nhs_number is not null as has_number
  from membership_believed b join membership_wanted w using (record_id) join standard s using (record_id)
 where b.is_current"""
_TOUCHED = """
with other as (select before, now from in_both where before <> now),
touched as (select before as person_id from other union select now from other)
select record_id, before, now, record_id in (select record_id from changed) from in_both
 where before in (from touched) or now in (from touched)"""
_COUNTED = """
with other as (select before, now from in_both where before <> now),
touched as (select before as person_id from other union select now from other)
select count(*), count(*) filter (where before = now), count(distinct before),
       count(distinct before) filter (where before in (from touched)) from in_both"""
_LINKS = """
with before as (select left_id, right_id, rule from edges_read where stored_decision = 'link'),
     now as (select left_id, right_id, rule from decided_edge where decision = 'link')
select count(*) filter (where b.left_id is null), count(*) filter (where n.left_id is null),
       count(*) filter (where b.rule = n.rule), count(*) filter (where b.rule <> n.rule)
  from before b full join now n on b.left_id = n.left_id and b.right_id = n.right_id"""


def change(
    calculation: duckdb.DuckDBPyConnection,
    model: Model,
    facts: Mapping[str, Any],
    earlier: Mapping[str, Any] | None,
    decisions: Sequence[Decision] = (),
) -> dict[str, Any]:
    """Section 10, from `membership_believed`, `membership_wanted`, `decided_edge` and the report of the run before.

    Args:
        calculation: the run's own tables.
        model: the version it used.
        facts: what this report says so far: front page, source data, method.
        earlier: the report of the run before, None on the first.
        decisions: the active human decisions.
    """
    constraints = read_constraints(calculation)
    held = overturned(calculation, decisions)
    if earlier is None:
        return {"note": "not measured, because this is the first run", "overturned_decisions": held}
    before_model = _at(earlier, "method", "model", "version")
    calculation.execute(_BOTH)
    rows = calculation.execute(_TOUCHED).fetchall()
    noticed = frozenset((d.left, d.right) for d in decisions if d.is_authorised)
    why = _Reasons(rows, constraints, noticed, is_new_model=before_model != model.version)
    return {
        "since_run": _at(earlier, "front_page", "run_id"),
        "inputs": _inputs(facts["source_data"], earlier.get("source_data") or []),
        "parameters": parameters_changed(_at(earlier, "method", "model") or {}, facts["method"]["model"]),
        "code_version": {
            "before": _at(earlier, "front_page", "code_version"),
            "now": facts["front_page"]["code_version"],
        },
        "links": _links(calculation),
        "people": _people(calculation),
        "merged": why.merged(),
        "split": why.split(),
        "overturned_decisions": held,
        "measures": _measures(calculation),
    }


def parameters_changed(before: Any, now: Any, path: str = "") -> list[dict[str, Any]]:
    """The exact difference of two parameter trees: where, what it was, what it is."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        keys = sorted({*before, *now})
        return [d for k in keys for d in parameters_changed(before.get(k), now.get(k), f"{path}/{k}" if path else k)]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = enumerate(zip(before, now, strict=True))
        return [d for n, (b, w) in pairs for d in parameters_changed(b, w, f"{path}/{_named(w, n)}")]
    return [] if before == now else [{"where": path, "before": before, "now": now}]


class _Reasons:
    """Why people became one, or two: a notice, a review decision, another model, or what the records say now."""

    def __init__(
        self,
        rows: Sequence[tuple[Any, ...]],
        constraints: Constraints,
        noticed: frozenset[tuple[int, int]],
        *,
        is_new_model: bool,
    ) -> None:
        self.constraints, self.noticed, self.is_new_model = constraints, noticed, is_new_model
        self.before = {row[0]: row[1] for row in rows}
        self.now = {row[0]: row[2] for row in rows}
        self.changed = {row[0] for row in rows if row[3]}

    def merged(self) -> dict[str, Any]:
        """People of before of whom several are one now."""
        return self._told(self.now, self.before, self.constraints.together)

    def split(self) -> dict[str, Any]:
        """People of before who are several now."""
        apart = self.constraints.apart | self.constraints.never | self.constraints.attention
        return self._told(self.before, self.now, apart)

    def _told(
        self, whole: Mapping[int, str], part: Mapping[int, str], decided: Iterable[tuple[int, int]]
    ) -> dict[str, Any]:
        by_pair: dict[str, str] = {}
        for left, right in sorted(decided):
            if left in whole and whole[left] == whole.get(right) and part[left] != part[right]:
                kind = "correction notice" if (left, right) in self.noticed else "review decision"
                by_pair[whole[left]] = kind if by_pair.get(whole[left]) != "correction notice" else "correction notice"
        reasons: Counter[str] = Counter()
        people = 0
        for name, records in _members(whole).items():
            parts = {part[record] for record in records}
            if len(parts) < 2:
                continue
            people += len(parts) - 1
            reasons[by_pair.get(name) or self._by_itself(records)] += 1
        return {"people": people, "reasons": dict(sorted(reasons.items()))}

    def _by_itself(self, records: Iterable[int]) -> str:
        if self.is_new_model:
            return "another model version"
        if not self.changed.isdisjoint(records):
            return "new data"
        return "a new record, or a decision, about others of the group"


def overturned(calculation: duckdb.DuckDBPyConnection, decisions: Sequence[Decision]) -> dict[str, Any]:
    """Decisions of people that do not hold although nothing that outranks them says so: must be none.

    Answers that contradict each other, also through a chain, and what the do-not-link list, a protected record or a
    missing notice stands against wait; the run says so of each pair.
    """
    if not decisions:
        return {"overturned": 0, "in_force": 0, "waiting": 0}
    person = dict(calculation.execute("select record_id, person_id from membership_wanted").fetchall())
    told = calculation.execute(f"select left_id, right_id from decided_edge where reason in {_NOT_FOLLOWED}").fetchall()
    waits = {(left, right) for left, right in told}
    answers: dict[tuple[int, int], set[str]] = {}
    for decision in decisions:
        if decision.answer != "cannot_tell" and decision.left in person and decision.right in person:
            pair = min(decision.left, decision.right), max(decision.left, decision.right)
            answers.setdefault(pair, set()).add(decision.answer)
    in_force = {pair: given for pair, given in answers.items() if pair not in waits and len(given) == 1}
    broken = sum((person[left] == person[right]) != (given == {"same"}) for (left, right), given in in_force.items())
    return {"overturned": broken, "in_force": len(in_force), "waiting": len(answers) - len(in_force)}


def _links(calculation: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    if not calculation.execute("select count(*) from edges_read").fetchall()[0][0]:
        return {"note": "not measured, because the links of the run before were not read"}
    new, removed, kept, changed = calculation.execute(_LINKS).fetchall()[0]
    return {"new": new, "removed": removed, "kept": kept, "kept_by_another_step": changed}


def _people(calculation: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    records, kept, people, touched = calculation.execute(_COUNTED).fetchall()[0]
    return {
        "records_in_both": records,
        "records_with_the_same_id": kept,
        "share_of_records": kept / records if records else None,
        "people_in_both": people,
        "people_unchanged": people - touched,
        "share_of_ids_unchanged": (people - touched) / people if people else None,
    }


def _measures(calculation: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Three head counts by the people of before and of now, over the records of both runs."""
    before, now = (_head_counts(calculation, column) for column in ("before", "now"))
    lines = []
    for name, count in before.items():
        moved = (now[name] - count) / count if count else None
        is_named = moved is not None and abs(moved) > _MOVED
        lines.append({"measure": name, "before": count, "now": now[name], "moved": moved, "is_named": is_named})
    return lines


def _head_counts(calculation: duckdb.DuckDBPyConnection, column: str) -> dict[str, int]:
    care, numbered, health = calculation.execute(f"""
        select count(*) filter (where care), count(*) filter (where care and numbered),
               count(*) filter (where care and health)
          from (select bool_or(source <> 'systmone') as care, bool_or(source = 'systmone') as health,
                       bool_or(has_number) as numbered from in_both group by {column})""").fetchall()[0]
    return {
        "people known to social care": care,
        "people known to social care who have an NHS number": numbered,
        "people known to social care and to community health": health,
    }


def _inputs(now: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    known = {block["source"]: block for block in before}
    return [
        {
            "source": block["source"],
            "records_before": known[block["source"]]["records"] if block["source"] in known else None,
            "records": block["records"],
            "completeness": [
                {"field": field["field"], "before": was["value"], "now": field["value"]}
                for field, was in zip(
                    block["completeness"], known.get(block["source"], {}).get("completeness", ()), strict=False
                )
                if was["value"] is not None
                and field["value"] is not None
                and abs(field["value"] - was["value"]) > _MOVED
            ],
        }
        for block in now
    ]


def _members(person_of: Mapping[int, str]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for record, person in person_of.items():
        found.setdefault(person, set()).add(record)
    return {person: frozenset(records) for person, records in found.items()}


def _named(part: Any, number: int) -> str:
    return str(part.get("name") or part.get("level") or number) if isinstance(part, Mapping) else str(number)


def _at(report: Mapping[str, Any], *path: str) -> Any:
    found: Any = report
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
