"""What a trial load puts into the mart: stale copies of the old system's people and work, under the ids of that load.

Seen from the mart's writers a trial load is a small council of its own, frozen on the night it was loaded (sources
hand-book 6.4: these copies must be ignored until go-live).
"""

from __future__ import annotations

from dataclasses import replace

from connectors.synthetic.liquidlogic_rows import SYSTEM
from connectors.synthetic.world import Appearance, TrueEvent, World


def trial_world(world: World, load: int, night: int) -> World:
    """The council as trial load number `load` copied it on `night`, as a world of one night without defects of its own.

    Ids are those of go-live, except where the load gave one that was thrown away later (re-keyed people). Nothing of it
    is logged: these rows are no defects but a state of the migration.
    """
    plan = world.setting.cutover
    assert plan is not None, "only a council that replaces its system has trial loads"
    ids = _ids(world, load, last=len(plan.trial_load_nights) + 1)
    old = [a for a in world.appearances if a.system == plan.old and a.key in ids and a.as_of(night) is not None]
    references = {a.key: a.references for a in world.appearances if a.system == SYSTEM}
    records = [_copied(a, new, references.get(new, {}), night, world) for a in old for new in ids[a.key]]
    first = {a.key: ids[a.key][0] for a in old}
    events = [_told_again(e, first[e.appearance_key], night) for e in world.events if e.appearance_key in first]
    return replace(
        world, nights=0, first_night=world.night_date(night), appearances=records, defects=[], file_faults=[],
        events=[event for event in events if event is not None],
    )  # fmt: skip


def _ids(world: World, load: int, last: int) -> dict[str, list[str]]:
    """Old key -> the ids under which this load wrote it."""
    trial = {link.old_key: link.new_key for link in world.migration if link.load_no == load}
    ids: dict[str, list[str]] = {}
    for link in world.migration:
        if link.load_no == last and link.new_key:
            ids.setdefault(link.old_key, []).append(trial.get(link.old_key, link.new_key))
    owner: dict[str, str] = {}
    for old, new in ids.items():
        for key in new:
            owner.setdefault(key, old)
    kept = {old: [key for key in new if owner[key] == old] for old, new in ids.items()}
    return {old: new for old, new in kept.items() if new}


def _copied(record: Appearance, key: str, references: dict[str, str], night: int, world: World) -> Appearance:
    fields = dict(record.as_of(night) or {})
    held = [period for _, period in record.addresses_as_of(world.night_date(night))]
    return replace(
        record, system=SYSTEM, key=key, recorded_night=0, versions={0: fields}, addresses=held, duplicate_of=None,
        marked_duplicate_night=None, removed_night=None, references=references or {record.system: record.key},
    )  # fmt: skip


def _told_again(event: TrueEvent, key: str, night: int) -> TrueEvent | None:
    state = event.as_of(night)
    if state is None:
        return None
    return replace(
        state, system=SYSTEM, appearance_key=key, recorded_night=0, changed_night=None, deleted_night=None,
        changed_end_at=None, changed_status=None, changed_facts={},
    )  # fmt: skip
