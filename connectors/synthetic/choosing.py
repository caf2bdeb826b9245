"""Chooses which records get a defect: exact shares, and three times the chance for records without an NHS number.

Shares are met by number and not by luck,
so that a small council shows the catalogue's rates too. The tripled chance is the
catalogue's interaction rule (assumption).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

Item = TypeVar("Item")
CLUSTER: Final = 3.0


def how_many(rng: random.Random, share: float, count: int) -> int:
    """The share of `count` as a whole number; the fraction left over is decided by chance."""
    exact = share * count
    whole = int(exact)
    return min(count, whole + (1 if rng.random() < exact - whole else 0))


def choose(
    rng: random.Random, items: Sequence[Item], number: int, prone: Callable[[Item], bool] | None = None
) -> list[Item]:
    """`number` different items in their own order; items for which `prone` holds are three times as likely."""
    number = min(number, len(items))
    if number == 0:
        return []
    if prone is None or number > 0.6 * len(items):
        return [items[place] for place in sorted(rng.sample(range(len(items)), number))]
    taken: set[int] = set()
    while len(taken) < number:
        place = rng.randrange(len(items))
        if place not in taken and (prone(items[place]) or rng.random() < 1 / CLUSTER):
            taken.add(place)
    return [items[place] for place in sorted(taken)]
