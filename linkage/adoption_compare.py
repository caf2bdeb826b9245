"""The difference report between two model versions on a council's own records, for those who approve a version.

Both versions go over the same records, decisions and do-not-link list of the identity zone, from the first pair to the
lasting ids; nothing of it is published. Counts, estimates and patterns only (linkage handbook 10 and 14).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from domain.run import RunContext
from governance.ledger import code_version
from governance.store import Store
from linkage import inputs, promotion, report_quality
from linkage.adoption import AdoptionRefused, files_digest, keep_comparison
from linkage.adoption_difference import NONE, PairView, band_changes, groups_touched, parameters, people_changed
from linkage.engine import open_calculation
from linkage.identity import Assignment
from linkage.model import Model, kept_versions, load_model
from linkage.stage import calculate_anew

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from sqlalchemy import Connection

_BANDS = """select left_id, right_id, case decision when 'reject' then 'none' else decision end as band
              from decided_edge"""
_CHANGED = """select left_id, right_id from band_from full join band_to using (left_id, right_id)
               where coalesce(band_from.band, 'none') <> coalesce(band_to.band, 'none') order by 1, 2"""
_COUNTS = """
select count(*), count(distinct person_id), count(distinct source),
       (select count(*) from decided_edge where decision = 'link'),
       (select count(*) from decided_edge where decision = 'review')
  from membership_wanted join standard using (record_id)"""


@dataclass(frozen=True, slots=True)
class _Side:
    """One version's outcome over all records; `calculation` still holds its tables."""

    model: Model
    calculation: duckdb.DuckDBPyConnection
    moment: datetime
    assignment: Assignment
    measured: dict[str, Any]

    def counts(self) -> dict[str, int]:
        names = ("records", "people", "sources", "links", "reviews")
        return dict(zip(names, self.calculation.execute(_COUNTS).fetchall()[0], strict=True))

    def groups(self) -> dict[int, int]:
        number: dict[str, int] = {}
        return {
            record: number.setdefault(person, len(number))
            for record, person in sorted(self.assignment.person_of.items())
        }


def compare(context: RunContext, from_version: str, to_version: str) -> tuple[str, dict[str, Any]]:
    """Make the difference report, keep it with the council, and return its digest and the report.

    Raises `AdoptionRefused` when a version is not kept here or both are the same, `StageFailure` when nothing has been
    conformed yet.
    """
    for version in (from_version, to_version):
        if version not in kept_versions():
            raise AdoptionRefused(f"there is no model version {version}; there are {', '.join(kept_versions())}")
    if from_version == to_version:
        raise AdoptionRefused("a version differs from itself in nothing; name two")
    store = Store(context.profile)
    with store.connect("linker") as connection:
        state = inputs.input_digest(connection, to_version)
    scratch = context.profile.home / "scratch"
    one, other = open_calculation(scratch / "from"), open_calculation(scratch / "to")
    try:
        before = _side(context, store, load_model(from_version), one)
        after = _side(context, store, load_model(to_version), other)
        report = _report(context, before, after)
        with store.connect("linker") as connection:
            if inputs.input_digest(connection, to_version) != state:
                raise AdoptionRefused("records or decisions changed while the versions were compared; compare again")
            report["people"]["of_them_shown_in_a_release"] = _shown(connection, before, after)
            digest = keep_comparison(
                connection, report, input_digest=state, moment=before.moment, made_by=context.actor
            )
    finally:
        one.close()
        other.close()
    return digest, report


def _side(context: RunContext, store: Store, model: Model, calculation: duckdb.DuckDBPyConnection) -> _Side:
    moment, assignment = calculate_anew(context, store, model, calculation)
    measured = report_quality.measured(calculation, model, moment, "comparison", is_full=True)
    return _Side(model, calculation, moment, assignment, measured)


def _report(context: RunContext, before: _Side, after: _Side) -> dict[str, Any]:
    return {
        "title": f"What model version {after.model.version} would change for {context.profile.name}",
        "council": context.profile.name,
        "as_known_at": before.moment.isoformat(),
        "code_version": code_version(),
        "from": _told(before),
        "to": _told(after),
        "people": people_changed(before.groups(), after.groups()) | _ids(before, after),
        "pairs": band_changes(_changed_pairs(before, after), before.model, after.model),
        "obstacles": [asdict(o) for o in promotion.obstacles({"measured": after.measured})],
        "parameters": parameters(before.model, after.model),
    }


def _told(side: _Side) -> dict[str, Any]:
    hidden, groups = side.measured["hidden_numbers"], side.measured["groups"]
    return {
        "version": side.model.version,
        "files": files_digest(side.model.version),
        "counts": side.counts(),
        "lines": {"link": side.model.bands.link, "review": side.model.bands.review},
        "recall": hidden["recall"],
        "false_share": hidden["false_share"],
        "without_a_number": {name: hidden["for_people_without_a_number"][name] for name in ("recall", "false_share")},
        "largest_gap": groups["largest_gap"],
        "second_opinion": side.measured.get("second_opinion"),
    }


def _ids(before: _Side, after: _Side) -> dict[str, int]:
    """What the lasting ids would do: groups of the same records keep theirs, the others follow the anchor."""
    members: dict[str, set[int]] = {}
    for record, person in before.assignment.person_of.items():
        members.setdefault(person, set()).add(record)
    later: dict[str, set[int]] = {}
    for record, person in after.assignment.person_of.items():
        later.setdefault(person, set()).add(record)
    return {
        "ids_with_the_same_records": sum(later.get(person) == records for person, records in members.items()),
        "ids_that_would_redirect": after.assignment.merged,
        "ids_that_would_be_new": sum(change.is_new for change in after.assignment.changes),
    }


def _shown(connection: Connection, before: _Side, after: _Side) -> int:
    """How many of the people who would merge or be parted a release has shown."""
    one = before.groups()
    touched = groups_touched(one, after.groups())
    people = sorted({before.assignment.person_of[record] for record, group in one.items() if group in touched})
    found = connection.exec_driver_sql(
        "select count(distinct person_id) from ledger.shown_in_release where person_id = any(%(people)s)",
        {"people": people},
    )
    return int(found.scalar_one())


def _changed_pairs(before: _Side, after: _Side) -> Iterator[tuple[PairView | None, PairView | None]]:
    join = open_calculation()
    try:
        join.register("band_from", before.calculation.sql(_BANDS).to_arrow_table())
        join.register("band_to", after.calculation.sql(_BANDS).to_arrow_table())
        changed = join.sql(_CHANGED).to_arrow_table()
    finally:
        join.close()
    one, other = _views(before, changed), _views(after, changed)
    for pair in zip(changed["left_id"].to_pylist(), changed["right_id"].to_pylist(), strict=True):
        yield one.get(pair), other.get(pair)


def _views(side: _Side, pairs: pa.Table) -> Mapping[tuple[int, int], PairView]:
    """The pairs as this version sees them, whether it kept them or only compared them."""
    model, names = side.model, [c.name for c in side.model.comparisons]
    parts = [f"s.level_{n}" for n in names] + [f"s.weight_{n}" for n in names]
    parts += [f"s.guard_{n}" for n, _ in enumerate(model.guards)]
    side.calculation.register("changed_pair", pairs)
    rows = side.calculation.execute(f"""
        select c.left_id, c.right_id, d.decision, d.reason, d.pair_decision, d.rule, coalesce(d.weight, s.weight),
               coalesce(s.any_restricted, false), s.left_id is not null, {", ".join(parts)}
          from changed_pair c
          left join decided_edge d on d.left_id = c.left_id and d.right_id = c.right_id
          left join scored s on s.left_id = c.left_id and s.right_id = c.right_id
         where d.left_id is not null or s.left_id is not null""").fetchall()
    side.calculation.unregister("changed_pair")
    return {(row[0], row[1]): _view(model, row) for row in rows}


def _view(model: Model, row: tuple[Any, ...]) -> PairView:
    decision, reason, own, rule, weight, is_protected, is_compared = row[2:9]
    count = len(model.comparisons)
    levels, weights, guards = row[9 : 9 + count], row[9 + count : 9 + 2 * count], row[9 + 2 * count :]
    parts = {
        c.name: (c.levels[level].label, float(bits))
        for c, level, bits in zip(model.comparisons, levels, weights, strict=True)
        if is_compared
    }
    return PairView(
        band=NONE if decision in (None, "reject") else str(decision),
        reason=str(reason or ""),
        own_band=NONE if own in (None, "reject") else str(own),
        rule=str(rule or "probabilistic"),
        weight=float(weight or 0.0),
        parts=parts,
        guards=frozenset(g.name for g, holds in zip(model.guards, guards, strict=True) if holds),
        is_protected=bool(is_protected),
    )
