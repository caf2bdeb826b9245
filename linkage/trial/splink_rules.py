"""The rules that chose the pairs of a trial, in Splink's words as far as Splink has them; the rest in sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from linkage.trial.blocks import RuleUse
from linkage.trial.comparisons import Comparison
from linkage.trial.guards import GUARDS

_PLAIN = re.compile(r"select record_id, (.*) as value from standard", re.DOTALL)
_WITH_WORD = re.compile(r"select record_id, (?:(\w+) \|\| )?word as value from \(select \*, unnest.*", re.DOTALL)


def blocking_rules(uses: Sequence[RuleUse]) -> list[dict[str, Any]]:
    """The rules in use that Splink can say, in the order in which they were used."""
    said = (_said(use.rule.select) for use in uses if use.is_used)
    return [rule for rule in said if rule is not None]


def not_in_splink(uses: Sequence[RuleUse], comparisons: Sequence[Comparison]) -> list[str]:
    """What this model does that Splink, reading the same file, does not: one sentence each."""
    silent = [use.rule.name for use in uses if use.is_used and _said(use.rule.select) is None]
    capped = [use for use in uses if use.is_used and use.blocks_left_out]
    found = [f"Rule '{name}' cannot be said as a rule of Splink; its pairs are missing there." for name in silent]
    if capped:
        found.append(f"{len(capped)} rules leave their largest blocks out here; Splink makes these pairs as well.")
    if any("tf_adjustment_column" in level for c in comparisons for level in c["comparison_levels"]):
        found.append(
            "Frequencies here count people, compare with the chance that two people agree by accident, and count once "
            "for fields weighed together; Splink counts records and compares with u, so these weights differ by some "
            "bits. Without the tf_ settings of the levels, and for pairs that no guard holds for and that live in one "
            "home, all weights are the same in both, but for what the frequencies add here."
        )
    found.append("Fields of a home that all differ count here as one move, which Splink cannot be told.")
    for guard in GUARDS:
        found.append(f"{guard.name.capitalize()} lose {-guard.bits:g} bits here, which Splink cannot be told.")
    return found


def _said(select: str) -> dict[str, Any] | None:
    plain = _PLAIN.fullmatch(select)
    if plain and "unnest" not in select:
        return {"blocking_rule": f"{_of(plain[1], 'l')} = {_of(plain[1], 'r')}", "sql_dialect": "duckdb"}
    word = _WITH_WORD.fullmatch(select)
    if word and "where" not in select.lower():
        both = f"l.{word[1]} = r.{word[1]} and " if word[1] else ""
        return {"blocking_rule": f"{both}l.name_words = r.name_words", "sql_dialect": "duckdb",
                "arrays_to_explode": ["name_words"]}  # fmt: skip
    return None


def _of(value: str, side: str) -> str:
    """The expression over the record of one side."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(f"({value})", dialect="duckdb")
    for column in tree.find_all(exp.Column):
        column.set("table", exp.to_identifier(side))
    return str(tree.sql(dialect="duckdb"))
