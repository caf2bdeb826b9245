"""What is no fault of one record but how systems are: old telephone numbers, old practices, people under one roof.

Telephones and practices go stale without being in the catalogue and are not logged (15 % of numbers old, 20 % missing
in care, 5 % of practices old: assumptions). Households (D66) and shared addresses (D67) are logged as what they are.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from connectors.synthetic.record_defects import Spoiler, set_field, value_of
from connectors.synthetic.world import Appearance

STALE_TELEPHONE: Final = 0.075  # on either side: old in about 15 % of pairs
MISSING_TELEPHONE: Final = 0.20  # care systems only
STALE_PRACTICE: Final = 0.025  # on either side: old in about 5 % of pairs
_SHARED_BY_MANY: Final = frozenset({"care_home", "supported"})


def grow_stale(spoiler: Spoiler) -> None:
    """Gives some records another telephone number, none at all, or a practice the person has left."""
    rng, quality = spoiler.rng, spoiler.council.settings.quality
    practices = [code for code, _ in spoiler.council.gp_practices]
    for record in spoiler.records:
        chance = rng.random()
        if spoiler.system != "systmone" and chance < MISSING_TELEPHONE * quality:
            set_field(record, "telephone", "")
        elif value_of(record, "telephone") and rng.random() < STALE_TELEPHONE * quality:
            set_field(record, "telephone", f"01632 {rng.randrange(1_000_000):06d}")
        if rng.random() < STALE_PRACTICE * quality:
            set_field(record, "gp_practice_code", rng.choice(practices))


def note_shared_addresses(spoiler: Spoiler) -> None:
    """Logs every record of somebody who shares a household (D66) or an address of many (D67) with others on record."""
    records = [r for r in spoiler.register.by_system[spoiler.system] if not r.is_test and r.duplicate_of is None]
    households = Counter(spoiler.person(record).household_id for record in records)
    homes = Counter(_home(spoiler, record) for record in records)
    for record in records:
        home = _home(spoiler, record)
        if home and homes[home] > 1:
            spoiler.note("D67", record, "postcode", "address")
        elif households[spoiler.person(record).household_id] > 1:
            spoiler.note("D66", record, "postcode", "address")


def _home(spoiler: Spoiler, record: Appearance) -> str:
    last = spoiler.person(record).addresses[-1]
    return f"{last.building}|{last.uprn}" if last.kind in _SHARED_BY_MANY else ""
