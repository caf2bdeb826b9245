"""One link in plain English, and its evidence as numbers that add up to the stored weight (linkage handbook 13).

The parts are the starting weight, the level of every comparison, how rare the value is where the model asks, and the
guards. Rounded for reading they still add up, to the last digit shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor, fsum
from typing import TYPE_CHECKING

from linkage.deterministic import REASON_MEANING, RULE_MEANING, Rule
from linkage.model import START, Bands, Level, Model, load_model

if TYPE_CHECKING:
    from sqlalchemy import Connection

FREQUENCY = "how rare it is"  # the level named for what the frequency of a value adds to or takes from its level
_TOLD = 1.0  # bits from which rarity is worth a word
_OF_PAIR = """select rule, decision, reason, match_weight, levels, model_version, decided_by from identity.link
               where left_record_id = %(left)s and right_record_id = %(right)s and known_to is null"""
# The strongest pair of either record with somebody who is not the same person.
_RIVAL = """
with one as (select source_record_id, person_id from identity.membership where known_to is null),
     here as (select person_id from one where source_record_id in (%(left)s, %(right)s))
select max(k.match_weight) from identity.link k
  join one a on a.source_record_id = k.left_record_id join one b on b.source_record_id = k.right_record_id
 where k.known_to is null and k.reason <> 'restricted'
   and (k.left_record_id in (%(left)s, %(right)s) or k.right_record_id in (%(left)s, %(right)s))
   and not (k.left_record_id = %(left)s and k.right_record_id = %(right)s)
   and (a.person_id not in (select person_id from here) or b.person_id not in (select person_id from here))"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a weight: what was compared, its level, and its bits."""

    part: str
    level: str
    bits: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why two records were linked, sent to review or not linked; `bars` add up to `total`."""

    sentence: str
    bars: tuple[Bar, ...]
    total: float
    decision: str = ""
    model_version: str = ""
    decided_by: str = ""

    def shown(self, places: int = 2) -> tuple[tuple[Bar, ...], float]:
        """The bars and their total rounded for reading; the rounded bars add up to the rounded total."""
        bits, total = added_up([bar.bits for bar in self.bars], places=places)
        return tuple(Bar(b.part, b.level, n) for b, n in zip(self.bars, bits, strict=True)), total


def explain(
    rule: str,
    decision: str,
    reason: str,
    levels: Mapping[str, Mapping[str, object]],
    *,
    model: Model | None = None,
    rival: float | None = None,
    decided_by: str = "",
) -> Explanation:
    """Explain one stored link from its own evidence.

    Args:
        rule: the rung of the ladder (`identity.link.rule`).
        decision: link, review or reject.
        reason: why it went to review, when it did.
        levels: `identity.link.levels`: every part of the weight with its level.
        model: the version that weighed it; with it rarity has a bar of its own and competitors are told of.
        rival: the weight of the strongest other candidate, None when none reached the review line.
        decided_by: the engine, or the reviewer.
    """
    order = {name: place for place, name in enumerate(_parts(model))} if model else {}  # a database sorts by spelling
    told = [(part, str(values["level"]), float(str(values["weight"]))) for part, values in levels.items()]
    told.sort(key=lambda part: order.get(part[0], len(order)))
    bars = tuple(bar for part, level, bits in told for bar in bars_of(part, level, bits, model))
    total = fsum(bar.bits for bar in bars)
    sentence = _sentence(rule, decision, reason, bars)
    if model is not None and bars:
        sentence += " " + _competitors(total, rival, model.bands)
    return Explanation(sentence, bars, total, decision, model.version if model else "", decided_by)


def explain_pair(connection: Connection, left: int, right: int) -> Explanation:
    """Explain the current link of two records, for the review screen alone (governance LNK-3 and LNK-4).

    Raises `KeyError` when no run has kept anything of the pair. Of protected records no evidence is kept.
    """
    pair = {"left": min(left, right), "right": max(left, right)}
    row = connection.exec_driver_sql(_OF_PAIR, pair).one_or_none()
    if row is None:
        raise KeyError("no link, review or rejection is kept of these two records")
    rival = connection.exec_driver_sql(_RIVAL, pair).scalar()
    return explain(
        row[0],
        row[1],
        row[2],
        row[4],
        model=load_model(row[5]),
        rival=None if rival is None else float(rival),
        decided_by=row[6],
    )


def bars_of(part: str, level: str, bits: float, model: Model | None) -> list[Bar]:
    """The bars of one part: none where it says nothing, two where the frequency of the value counts."""
    if part != START and bits == 0.0 and level in ("", "missing"):
        return []
    rung = _level(part, level, model)
    if rung is None or rung.frequency_column is None or abs(bits - rung.weight) < 1e-9:
        return [Bar(part, level, bits)]
    return [Bar(part, level, rung.weight), Bar(part, FREQUENCY, bits - rung.weight)]


def added_up(bits: Sequence[float], total: float | None = None, places: int = 2) -> tuple[list[float], float]:
    """Round `bits` so that, as shown, they add up exactly to their rounded total.

    What is lost or gained by rounding goes to the parts that lie nearest the next figure (largest remainder); no part
    moves by more than one unit of the last place.

    Args:
        bits: the parts.
        total: what they have to add up to; their own sum by default. Must be that sum but for rounding.
        places: digits after the point.
    """
    exact = [Fraction(value) * 10**places for value in bits]
    aim = round(sum(exact, Fraction(0)) if total is None else Fraction(total) * 10**places)
    units = [floor(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda n: (units[n] - exact[n], n))
    for place in by_remainder[: max(0, aim - sum(units))]:
        units[place] += 1
    return [unit / 10**places for unit in units], sum(units) / 10**places


def _parts(model: Model) -> list[str]:
    return [START, *(c.name for c in model.comparisons), *(g.name for g in model.guards)]


def _level(part: str, level: str, model: Model | None) -> Level | None:
    for comparison in model.comparisons if model else ():
        if comparison.name == part:
            return next((rung for rung in comparison.levels if rung.label == level), None)
    return None


def _sentence(rule: str, decision: str, reason: str, bars: tuple[Bar, ...]) -> str:
    outcome = {"link": "Linked", "review": "For a person to decide", "reject": "Not linked"}[decision]
    why = REASON_MEANING.get(reason) or RULE_MEANING[Rule(rule)]
    if reason == Rule.HUMAN.value:
        why = RULE_MEANING[Rule.HUMAN]
    if reason == "joined_by_other_links":
        why = "both records belong to the person through other links"
    compared = evidence_in_words(bars)
    return f"{outcome}: {why}." + (f" Evidence: {compared}." if compared else "")


def evidence_in_words(bars: Sequence[Bar]) -> str:
    """What was compared and how it came out, in the order of the model; rarity only where it matters."""
    rarity = {bar.part: bar.bits for bar in bars if bar.level == FREQUENCY}
    told = []
    for bar in bars:
        if bar.part == START or bar.level == FREQUENCY:
            continue
        bits = rarity.get(bar.part, 0.0)
        rare = ", and rare" if bits >= _TOLD else ", but common" if bits <= -_TOLD else ""
        told.append(f"{bar.part.replace('_', ' ')} {bar.level}{rare}")
    return "; ".join(told)


def _competitors(total: float, rival: float | None, bands: Bands) -> str:
    if rival is not None and rival > total:
        return f"Another candidate is {rival - total:.1f} bits stronger."
    if rival is not None:
        return f"The next candidate is {total - rival:.1f} bits weaker."
    clear = floor(total - bands.review)
    return f"No other candidate within {clear} bits." if clear > 0 else "No other candidate."
