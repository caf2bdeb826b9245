"""Client numbers that lost their file in a merge years ago: chains of pointers, and circles nobody noticed (6.2, D12).

A merged file keeps its number, its name and a pointer to the file that was kept. These files are records of true people
like all others, so they join the world's appearances; no migration ever moved one.
"""

from __future__ import annotations

from typing import Final

from connectors.synthetic.keys import micare_check_letter
from connectors.synthetic.micare_file import Draws
from connectors.synthetic.world import Appearance, MigrationLink, World

#: Share of clients with a chain behind them, and with a circle beside them (assumptions; one of each at least).
CHAINS: Final = 0.005
CIRCLES: Final = 0.001
_FIRST_NUMBER: Final = 50_001  # numbers of an earlier series


def merge_pointers(world: World, draws: Draws) -> dict[str, tuple[int, str]]:
    """Adds the merged files to the world; gives client number -> (first night of its pointer, number pointed to)."""
    pointers = {
        record.key: (record.marked_duplicate_night, record.duplicate_of)
        for record in world.appearances
        if record.system == "micare" and record.duplicate_of and record.marked_duplicate_night is not None
    }
    if draws.quality <= 0:
        return pointers
    kept = [r for r in world.appearances if r.system == "micare" and _may_have_merged_files(r)]
    kept.sort(key=lambda record: (draws.number("merged files", record.key), record.key))
    chains = max(1, round(CHAINS * draws.quality * len(kept)))
    circles = max(1, round(CIRCLES * draws.quality * len(kept)))
    number = _FIRST_NUMBER + world.first_list_item
    for place, record in enumerate(kept[: chains + circles]):
        steps = 2 + draws.below(3, "steps", record.key)
        keys = [_key(number + step) for step in range(steps)]
        number += steps
        last = record.key if place < chains else keys[0]
        for key, other in zip(keys, [*keys[1:], last], strict=True):
            pointers[key] = (0, other)
            draws.note("D12", "CLIENT", key, "XREF_CLIENT_NO")
            world.appearances.append(_merged(record, key))
            if world.setting.cutover is not None:
                world.migration.append(MigrationLink(key, "", "not_migrated", 0))
    return pointers


def _may_have_merged_files(record: Appearance) -> bool:
    return record.role == "client" and record.duplicate_of is None and record.recorded_night == 0 and not record.is_test


def _key(number: int) -> str:
    digits = f"{number:08d}"
    return digits + micare_check_letter(digits)


def _merged(record: Appearance, key: str) -> Appearance:
    first = dict(record.versions[min(record.versions)])
    return Appearance(
        "micare", key, record.person_id, 0, record.role, {0: first}, record.addresses[:1],
        duplicate_of=record.key, marked_duplicate_night=0, is_restricted=record.is_restricted,
    )  # fmt: skip
