"""What the last load writes for one record of the old care system, and the book-keeping of a whole cut-over.

Values go over as they were when the old system was frozen, faults included; capitals become names again, numbers that
the new system would refuse are dropped, and a batch trace finds most of those missing (assumptions).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final, cast

from connectors.synthetic.appearances import Register
from connectors.synthetic.council import Council
from connectors.synthetic.defects import DefectLog
from connectors.synthetic.nhs_numbers import is_valid
from connectors.synthetic.setting import Cutover
from connectors.synthetic.world import Appearance, Defect, MigrationLink, MigrationPattern, System

#: Shares of the old system's records (hand-book 6.3, assumptions); what is left goes over one to one.
SHARES: Final[dict[MigrationPattern, float]] = {
    "several_to_one": 0.05, "not_migrated": 0.05, "created_in_both": 0.01, "re_keyed": 0.005, "one_to_several": 0.003,
    "wrong_link": 0.002,
}  # fmt: skip
_TRACED: Final = 0.76
_NAMES: Final = ("forename", "middle_names", "surname", "previous_surname", "known_as")
#: Faults that travel with the values they sit in.
TRAVEL: Final = frozenset(
    {"D05", "D08", "D10", "D13"}
    | {f"D{n}" for n in (*range(20, 29), *range(30, 49), *range(60, 71))}
)  # fmt: skip
_NUMBER_FAULTS: Final = frozenset({"D05", "D08", "D10"})


@dataclass(slots=True)
class Migration:
    """One cut-over at work."""

    council: Council
    register: Register
    plan: Cutover
    rng: random.Random
    defects: list[Defect]
    new_of: dict[str, Appearance] = field(default_factory=dict)  # old key -> record in the new system
    links: list[MigrationLink] = field(default_factory=list)
    faults: dict[str, list[Defect]] = field(default_factory=dict)

    @property
    def old(self) -> System:
        """The system that is replaced."""
        return cast(System, self.plan.old)

    @property
    def new(self) -> System:
        """The system that replaces it."""
        return cast(System, self.plan.new)

    @property
    def last_load(self) -> int:
        """The number of the load that went live."""
        return len(self.plan.trial_load_nights) + 1

    def how_many(self, pattern: MigrationPattern, count: int) -> int:
        """The pattern's share of so many records, one at least."""
        return max(1, round(SHARES[pattern] * count))

    def link(self, old: str, new: str, pattern: MigrationPattern, load: int | None = None) -> None:
        """Writes down how one record went over."""
        self.links.append(MigrationLink(old, new, pattern, self.last_load if load is None else load))


def bring_over(work: Migration, record: Appearance, *, main: bool = True) -> Appearance:
    """The record as the last load wrote it into the new system."""
    go_live = work.plan.go_live_night
    frozen = max((n for n in record.versions if n < work.plan.freeze_night), default=record.recorded_night)
    fields = dict(record.versions[frozen])
    for name in _NAMES:
        fields[name] = fields[name].strip().title() if fields[name].isupper() else fields[name].strip()
    kept = _number(work, record, fields)
    versions = {go_live: fields}
    before = record.versions[frozen]
    for night, values in record.versions.items():
        if night >= work.plan.freeze_night:
            changed = {name: value for name, value in values.items() if value != before[name]}
            versions[max(night, go_live)] = {**versions[max(versions)], **changed}
            before = values
    made = Appearance(
        work.new, work.register.next_key(work.new, work.rng), record.person_id, go_live, record.role, versions,
        list(record.addresses), dict(record.address_defects), references={work.old: _typed(work.rng, record.key)},
        is_restricted=record.is_restricted, is_mixed=record.is_mixed,
    )  # fmt: skip
    work.register.add(made, main=main)
    work.council.migrated.add(made.key)
    _log_again(work, record, made, fields, number_kept=kept)
    return made


def _typed(rng: random.Random, key: str) -> str:
    """The old id as the load wrote it: mostly whole, sometimes without leading zeros or check letter."""
    chance = rng.random()
    if chance < 0.80:
        return key
    if chance < 0.90:
        return key.lstrip("0")
    return key[:-1].lstrip("0") if chance < 0.93 else key[:-1]


def _number(work: Migration, record: Appearance, fields: dict[str, str]) -> bool:
    """The new system takes valid numbers only, and a batch trace found most of the rest; gives whether it was kept."""
    number = fields["nhs_number"].replace(" ", "").replace("-", "").removesuffix(".0")
    right = work.council.people[record.person_id - 1].nhs_number
    if not (is_valid(number) and number.startswith("999") and len(set(number)) > 1):
        number = ""
    untraced = number in ("", right) and fields["nhs_number_verified"] == "N"
    if untraced and work.rng.random() < _TRACED:
        number, fields["nhs_number_verified"] = right, "Y"
    fields["nhs_number"] = number
    if not number:
        fields["nhs_number_verified"] = "N"
    return number != right and bool(number)


def _log_again(
    work: Migration, record: Appearance, made: Appearance, fields: dict[str, str], *, number_kept: bool
) -> None:
    log = DefectLog(work.defects, work.new)
    night = work.plan.go_live_night
    if not fields["nhs_number"]:
        log.add("D01" if record.role == "client" else "D02", "person", made.key, "nhs_number", night)
    elif fields["nhs_number_verified"] == "N":
        log.add("D04", "person", made.key, "nhs_number_verified", night)
    for fault in work.faults.get(record.key, []):
        if fault.defect_id not in _NUMBER_FAULTS or number_kept:
            log.add(fault.defect_id, fault.table, made.key, fault.field, night)
