"""One link in plain English, and its evidence as numbers that add up to the stored weight (linkage handbook 13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from linkage.deterministic import REASON_MEANING, RULE_MEANING, Rule
from linkage.model import START


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a weight: what was compared, its level, and its bits."""

    part: str
    level: str
    bits: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why two records were linked, sent to review or not linked."""

    sentence: str
    bars: tuple[Bar, ...]
    total: float


def explain(rule: str, decision: str, reason: str, levels: Mapping[str, Mapping[str, object]]) -> Explanation:
    """Explain one stored link from its own evidence.

    Args:
        rule: the rung of the ladder (`identity.link.rule`).
        decision: link, review or reject.
        reason: why it went to review, when it did.
        levels: `identity.link.levels`: every part of the weight with its level.
    """
    bars = tuple(
        Bar(part, str(values["level"]), float(str(values["weight"])))
        for part, values in levels.items()
        if part == START or float(str(values["weight"])) != 0.0 or values["level"] not in ("", "missing")
    )
    return Explanation(_sentence(rule, decision, reason, bars), bars, sum(bar.bits for bar in bars))


def _sentence(rule: str, decision: str, reason: str, bars: tuple[Bar, ...]) -> str:
    outcome = {"link": "Linked", "review": "For a person to decide", "reject": "Not linked"}[decision]
    why = REASON_MEANING.get(reason) or RULE_MEANING[Rule(rule)]
    if reason == Rule.HUMAN.value:
        why = RULE_MEANING[Rule.HUMAN]
    if reason == "joined_by_other_links":
        why = "both records belong to the person through other links"
    compared = "; ".join(f"{bar.part.replace('_', ' ')} {bar.level}" for bar in bars if bar.part != START)
    return f"{outcome}: {why}." + (f" Evidence: {compared}." if compared else "")
