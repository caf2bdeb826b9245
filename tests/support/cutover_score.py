"""Recognised patterns judged against how the records of a synthetic council really went over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.synthetic.world import World
from warehouse.cutover.patterns import MEANING, Pattern


@dataclass(frozen=True, slots=True)
class Score:
    """Of one pattern: how many there are, how many were recognised, and how many of these rightly."""

    true: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 1.0


def scores(world: World, patterns: Iterable[Pattern]) -> dict[str, Score]:
    """Precision and recall by pattern, over pairs of keys.

    Children never came in and count nowhere; nor do the chains and circles of merged files that the old system's own
    simulator adds, of which the migration knows nothing.
    """
    judged = _judged(world)
    truth = {(m.old_key, m.new_key, m.pattern) for m in world.migration if m.old_key in judged}
    found = {(p.old_key, p.new_key, p.pattern) for p in patterns if p.old_key in judged}
    return {
        name: Score(
            sum(t[2] == name for t in truth), sum(f[2] == name for f in found), sum(f[2] == name for f in found & truth)
        )
        for name in MEANING
    }


def misses(world: World, patterns: Iterable[Pattern]) -> list[tuple[str, str, str, str]]:
    """What was wrongly said and what was not recognised, for whoever looks into it."""
    judged = _judged(world)
    truth = {(m.old_key, m.new_key, m.pattern) for m in world.migration if m.old_key in judged}
    found = {(p.old_key, p.new_key, p.pattern): p.why for p in patterns if p.old_key in judged}
    return sorted([("missed", *t) for t in truth - found.keys()] + [("wrong", *f) for f in found.keys() - truth])


def _judged(world: World) -> set[str]:
    last = world.night_date(world.nights)
    people = {p.person_id: p for p in world.people}
    old = world.setting.cutover.old if world.setting.cutover else ""
    return {
        a.key
        for a in world.appearances
        if a.system == old and (last - people[a.person_id].birth_date).days >= 18 * 365.25 + 60
    }
