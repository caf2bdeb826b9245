"""Why pairs linked: section 9 of the linkage report, a waterfall for every typical agreement pattern.

Patterns, not people: a pattern that fewer than ten pairs share is not shown. The bars of a pattern are means over its
pairs and add up exactly, as shown, to the mean of the stored weights (linkage handbook 13).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linkage.explain import Bar, added_up, bars_of, evidence_in_words
from linkage.masked_evidence import told_levels
from linkage.model import START, Model

if TYPE_CHECKING:
    import duckdb

FEWEST_SHOWN = 10
_PATTERNS_SHOWN = 12
_TYPICAL = 8  # patterns the template asks for


def why_linked(calculation: duckdb.DuckDBPyConnection, model: Model) -> dict[str, Any]:
    """Section 9 from `decided_edge`: the commonest patterns of linked and reviewed pairs, and where the lines lie."""
    found = patterns(calculation, model)
    linked = sum(pattern["decision"] == "link" for pattern in found)
    return {
        "lines": {"link": model.bands.link, "review": model.bands.review},
        "model_version": model.version,
        "patterns": found,
        "note": f"a pattern that fewer than {FEWEST_SHOWN} pairs share is not shown"
        + ("" if linked >= _TYPICAL else f"; only {linked} patterns of linked pairs are left to show"),
    }


def patterns(calculation: duckdb.DuckDBPyConnection, model: Model) -> list[dict[str, Any]]:
    """The commonest agreement patterns by decision, the mean of every part of their weight, and what it adds up to."""
    where = "weight is not null and decision <> 'reject' and reason <> 'joined_by_other_links'"
    rows = _counted(
        calculation,
        model,
        f"(select decision, rule, weight, levels from decided_edge where {where})",
        having=f"count(*) >= {FEWEST_SHOWN}",
        most=_PATTERNS_SHOWN,
    )
    return [_pattern(row, model) for row in rows]


def missed_pattern(calculation: duckdb.DuckDBPyConnection, model: Model) -> dict[str, Any] | str:
    """The commonest pattern among links missed when their numbers are hidden, or why there is none to show.

    Reads `hidden_judged` and the evidence of the run, so only pairs whose number the run knows.
    """
    pairs = """(select 'missed' as decision, e.rule, e.weight, e.levels from hidden_judged h join edge_now e
        on e.left_id = least(h.record_id, h.partner_id) and e.right_id = greatest(h.record_id, h.partner_id)
        where not h.found)"""
    missed = int(calculation.execute("select count(*) from hidden_judged where not found").fetchall()[0][0])
    if missed < FEWEST_SHOWN:
        return f"not shown, because fewer than {FEWEST_SHOWN} links of the sample were missed"
    rows = _counted(calculation, model, pairs, having=f"count(*) >= {FEWEST_SHOWN}", most=1)
    if not rows:
        return f"not shown, because no {FEWEST_SHOWN} of the links missed are alike"
    return _pattern(rows[0], model)


def _parts(model: Model) -> list[str]:
    return [START, *(c.name for c in model.comparisons), *(g.name for g in model.guards)]


def _counted(
    calculation: duckdb.DuckDBPyConnection, model: Model, pairs: str, *, having: str, most: int
) -> list[tuple[Any, ...]]:
    parts = _parts(model)
    levels = ", ".join(f'told."{part}".level' for part in parts)
    means = ", ".join(f'avg(told."{part}".weight)' for part in parts)
    rows: list[tuple[Any, ...]] = calculation.execute(f"""
        with pair as (select *, {told_levels(model, START)} as told from {pairs})
        select decision, rule, count(*), avg(weight), {levels}, {means} from pair
         group by decision, rule, {levels} having {having}
       qualify row_number() over (partition by decision order by count(*) desc, {levels}) <= {most}
         order by decision, count(*) desc, {levels}""").fetchall()
    return rows


def _pattern(row: tuple[Any, ...], model: Model) -> dict[str, Any]:
    decision, rule, pairs, weight, *rest = row
    parts = _parts(model)
    told = zip(parts, rest[: len(parts)], rest[len(parts) :], strict=True)
    bars = [bar for part, level, mean in told if mean is not None for bar in bars_of(part, level or "", mean, model)]
    return drawn(bars, weight) | {
        "decision": decision,
        "rule": rule,
        "pairs": pairs,
        "words": evidence_in_words(bars),
    }


def drawn(bars: list[Bar], weight: float) -> dict[str, Any]:
    """Bars and total as they are shown and stored: to hundredths of a bit, adding up to the last figure.

    Raises `ValueError` when the parts are not those of the weight.
    """
    if abs(sum(bar.bits for bar in bars) - weight) > 1e-4:
        raise ValueError("the parts of a pattern do not add up to its weight")
    bits, total = added_up([bar.bits for bar in bars])
    return {
        "bars": [{"part": b.part, "level": b.level, "bits": n} for b, n in zip(bars, bits, strict=True)],
        "total": total,
    }
