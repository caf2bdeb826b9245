"""Brings the people of the old care system into the new one, in every way the sources hand-book (6.3) knows.

The new records say what the old ones said when they were frozen, faults included, except that capitals are made names
again and most missing numbers were traced in one batch on the way. `World.migration` is the truth of it.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Final

from connectors.synthetic.appearances import Register, fields_on
from connectors.synthetic.canaries import is_canary
from connectors.synthetic.council import Council
from connectors.synthetic.defects import DefectLog, defect_rng
from connectors.synthetic.migration_load import SHARES, TRAVEL, Migration, bring_over
from connectors.synthetic.setting import Cutover
from connectors.synthetic.world import Appearance, Defect, MigrationPattern, TrueEvent

_MERGED_LATER: Final = 0.60  # of people who still have two records in the new system


def migrate(council: Council, register: Register, events: list[TrueEvent], defects: list[Defect]) -> None:
    """Opens a record in the new system for everybody who went over, and hangs the new system's events on it."""
    plan = council.settings.kind.cutover
    if plan is None:
        return
    work = Migration(council, register, plan, defect_rng(council.settings.seed, "all", "migration"), defects)
    for defect in defects:
        if defect.system == plan.old and defect.defect_id in TRAVEL:
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
        made = bring_over(work, by_key[key])
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
    once = Counter(record.person_id for record in work.register.by_system[work.old])
    able = [r for r in records if r.person_id in last and r.person_id not in busy and not r.is_restricted]
    able = [r for r in able if once[r.person_id] == 1 and not is_canary(work.council, r)]
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
            made = bring_over(work, record)
            work.new_of[record.key] = made
            work.link(record.key, made.key, pattern)
            if pattern == "wrong_link":
                other = plain[(plain.index(record) + 1) % len(plain)]
                made.references[work.old] = other.key
            elif pattern == "one_to_several":
                part = bring_over(work, record, main=False)
                part.duplicate_of = made.key
                work.link(record.key, part.key, pattern)
    return [record for record in records if record.key not in taken]


_ODD: Final[tuple[MigrationPattern, ...]] = ("re_keyed", "one_to_several", "wrong_link")


def _one_to_one(work: Migration, record: Appearance) -> None:
    main = work.new_of.get(record.duplicate_of or "")
    made = bring_over(work, record, main=record.duplicate_of is None)
    if main is not None:
        made.duplicate_of = main.key
    work.new_of[record.key] = made
    work.link(record.key, made.key, "one_to_one")


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
