"""Brings the people of the old care system into the new one, in every way the sources hand-book (6.3) knows.

The new records say what the old ones said when they were frozen, faults included, except that capitals are made names
again and most missing numbers were traced in one batch on the way. `World.migration` is the truth of it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, cast

from connectors.synthetic.appearances import Register, fields_on
from connectors.synthetic.council import Council
from connectors.synthetic.defects import DefectLog, defect_rng
from connectors.synthetic.nhs_numbers import is_valid
from connectors.synthetic.setting import Cutover
from connectors.synthetic.world import Appearance, Defect, MigrationLink, MigrationPattern, System, TrueEvent

#: Shares of the old system's records (hand-book 6.3, assumptions); what is left goes over one to one.
SHARES: Final[dict[MigrationPattern, float]] = {
    "several_to_one": 0.05, "not_migrated": 0.05, "created_in_both": 0.01, "re_keyed": 0.005, "one_to_several": 0.003,
    "wrong_link": 0.002,
}  # fmt: skip
_TRACED: Final = 0.76
_MERGED_LATER: Final = 0.60  # of people who still have two records in the new system
_NAMES: Final = ("forename", "middle_names", "surname", "previous_surname", "known_as")
#: Faults that travel with the values they sit in.
_TRAVEL: Final = frozenset(
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


def migrate(council: Council, register: Register, events: list[TrueEvent], defects: list[Defect]) -> None:
    """Opens a record in the new system for everybody who went over, and hangs the new system's events on it."""
    plan = council.settings.kind.cutover
    if plan is None:
        return
    work = Migration(council, register, plan, defect_rng(council.settings.seed, "all", "migration"), defects)
    for defect in defects:
        if defect.system == plan.old and defect.defect_id in _TRAVEL:
            work.faults.setdefault(defect.key, []).append(defect)
    records = [r for r in register.by_system[work.old] if _is_there(r, plan)]
    rest = _several_to_one(work, records)
    rest = _left_behind(work, rest, events, len(records))
    rest = _created_in_both(work, rest, events, len(records))
    rest = _odd_ones(work, rest, len(records))
    for record in rest:
        _one_to_one(work, record)
    _hang_events(work, events)
    _clean_up(work)
    for record in register.by_system[work.old]:
        _freeze(work, record)
    council.migration = work.links


def _is_there(record: Appearance, plan: Cutover) -> bool:
    gone = record.removed_night is not None and record.removed_night < plan.go_live_night
    return not record.is_test and not gone and record.recorded_night < plan.go_live_night


def _several_to_one(work: Migration, records: list[Appearance]) -> list[Appearance]:
    """People with two records in the old system: for some, cleansing made one of them; only one old id was kept."""
    by_key = {record.key: record for record in records}
    groups: dict[str, list[Appearance]] = {}
    for record in records:
        root = record
        while root.duplicate_of is not None and root.duplicate_of in by_key:
            root = by_key[root.duplicate_of]
        if root is not record:
            groups.setdefault(root.key, []).append(record)
    chosen = sorted(groups, key=lambda key: all(r.marked_duplicate_night is None for r in groups[key]))
    wanted = work.how_many("several_to_one", len(records))
    taken: set[str] = set()
    for key in chosen:
        if len(taken) >= wanted:
            break
        if key in taken or by_key[key].duplicate_of is not None:
            continue
        made = _bring_over(work, by_key[key])
        for record in (by_key[key], *groups[key]):
            work.new_of[record.key] = made
            work.link(record.key, made.key, "several_to_one")
            taken.add(record.key)
    return [record for record in records if record.key not in taken]


def _left_behind(work: Migration, records: list[Appearance], events: list[TrueEvent], base: int) -> list[Appearance]:
    """Closed longest: beyond retention, never loaded."""
    last: dict[int, int] = {}
    busy: set[int] = set()
    for event in events:
        if event.system == work.new:
            busy.add(event.person_id)
        elif event.system == work.old:
            last[event.person_id] = max(last.get(event.person_id, 0), event.start_at.toordinal())
            if event.end_at is None:
                busy.add(event.person_id)
    able = [
        r for r in records
        if r.person_id not in busy and r.person_id in last and r.duplicate_of is None and not r.is_restricted
        and not work.council.people[r.person_id - 1].tags & {"canary_child", "canary_restricted"}
    ]  # fmt: skip
    able.sort(key=lambda r: (last[r.person_id], r.key))
    taken = {record.key for record in able[: work.how_many("not_migrated", base)]}
    for record in able:
        if record.key in taken:
            work.link(record.key, "", "not_migrated", 0)
    return [record for record in records if record.key not in taken]


def _created_in_both(
    work: Migration, records: list[Appearance], events: list[TrueEvent], base: int
) -> list[Appearance]:
    """Keyed into the new system by hand while both ran, by somebody who did not look: nothing points from one to the
    other."""
    copied = {e.person_id for e in events if e.copy_of is not None and e.system == work.new}
    again = {e.person_id for e in events if e.copy_of is None and e.system == work.new}
    able = [
        r for r in records
        if r.person_id not in copied and r.role == "client" and r.duplicate_of is None and not r.is_restricted
    ]  # fmt: skip
    work.rng.shuffle(able)
    able.sort(key=lambda r: r.person_id not in again)
    taken: set[str] = set()
    first: dict[int, int] = {}
    for event in events:
        if event.system == work.new:
            first[event.person_id] = min(event.recorded_night, first.get(event.person_id, event.recorded_night))
    for record in able[: work.how_many("created_in_both", base)]:
        night = work.plan.go_live_night + work.rng.randrange(
            0, max(1, work.plan.dual_running_until_night - work.plan.go_live_night)
        )
        night = min(night, first.get(record.person_id, night))
        person = work.council.people[record.person_id - 1]
        fields = fields_on(work.council, person, night, record.versions[record.recorded_night]["title"])
        key = work.register.next_key(work.new, work.rng)
        made = Appearance(work.new, key, record.person_id, night, record.role, {night: fields}, list(person.addresses))
        work.register.add(made)
        work.new_of[record.key] = made
        work.link(record.key, made.key, "created_in_both", 0)
        taken.add(record.key)
    return [record for record in records if record.key not in taken]


def _odd_ones(work: Migration, records: list[Appearance], base: int) -> list[Appearance]:
    """Split in two, keyed again after a trial load, or pointing at somebody else's old record."""
    plain = [r for r in records if r.duplicate_of is None and not r.is_restricted]
    chosen = work.rng.sample(plain, min(len(plain), sum(work.how_many(p, base) for p in SHARES if p in _ODD)))
    taken = {record.key for record in chosen}
    for pattern in _ODD:
        for record in [chosen.pop() for _ in range(min(len(chosen), work.how_many(pattern, base)))]:
            if pattern == "re_keyed":
                work.link(record.key, work.register.next_key(work.new, work.rng), pattern, 1)
            made = _bring_over(work, record)
            work.new_of[record.key] = made
            work.link(record.key, made.key, pattern)
            if pattern == "wrong_link":
                other = plain[(plain.index(record) + 1) % len(plain)]
                made.references[work.old] = other.key
            elif pattern == "one_to_several":
                part = _bring_over(work, record, main=False)
                part.duplicate_of = made.key
                work.link(record.key, part.key, pattern)
    return [record for record in records if record.key not in taken]


_ODD: Final[tuple[MigrationPattern, ...]] = ("re_keyed", "one_to_several", "wrong_link")


def _one_to_one(work: Migration, record: Appearance) -> None:
    main = work.new_of.get(record.duplicate_of or "")
    made = _bring_over(work, record, main=record.duplicate_of is None)
    if main is not None:
        made.duplicate_of = main.key
    work.new_of[record.key] = made
    work.link(record.key, made.key, "one_to_one")


def _bring_over(work: Migration, record: Appearance, *, main: bool = True) -> Appearance:
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


def _hang_events(work: Migration, events: list[TrueEvent]) -> None:
    """Events of the new system hang on the record their original's record became, else on the person's own."""
    hangs_on = {event.event_id: event.appearance_key for event in events if event.system == work.old}
    for event in events:
        if event.system != work.new or event.appearance_key:
            continue
        made = work.new_of.get(hangs_on.get(event.copy_of or 0, ""))
        record = made or work.register.of_person[(work.new, event.person_id)]
        event.appearance_key = record.key


def _clean_up(work: Migration) -> None:
    """After both ran side by side, somebody merges people who came over twice."""
    nights = work.council.settings.nights
    for record in work.register.by_system[work.new]:
        if record.duplicate_of is not None and work.rng.random() < _MERGED_LATER:
            night = work.plan.dual_running_until_night + work.rng.randrange(1, 12)
            if night <= nights:
                record.marked_duplicate_night = night
                DefectLog(work.defects, work.new).add("D12", "person", record.key, "key", night)


def _freeze(work: Migration, record: Appearance) -> None:
    """The old system learns of deaths and weddings no more: a few are still typed in while both run."""
    plan = work.plan
    for night in [n for n in record.versions if n >= plan.freeze_night and n != record.recorded_night]:
        if night > plan.dual_running_until_night or night < plan.go_live_night or work.rng.random() < 0.75:
            del record.versions[night]
    go_live_day = work.council.day_of(plan.go_live_night)
    while len(record.addresses) > 1 and record.addresses[-1].valid_from >= go_live_day - timedelta(days=1):
        record.addresses.pop()
        record.address_defects.pop(len(record.addresses), None)
