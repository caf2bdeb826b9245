"""Ids of other systems that staff typed in: useful cross-links, and now and then wrong (sources hand-book, 2.7).

The shares are assumptions: a quarter of joint patients carry the council's id in SystmOne, six in ten people who moved
between the districts carry the old id in the new system; 2 % are another person's, 3 % outdated or damaged.
"""

from __future__ import annotations

from typing import Final

from connectors.synthetic.appearances import Register
from connectors.synthetic.council import Council
from connectors.synthetic.defects import DefectLog, defect_rng
from connectors.synthetic.world import Appearance, Defect

_IN_SYSTMONE: Final = 0.25
_BETWEEN_CARE: Final = 0.60
_IN_CARE: Final = 0.03
_WRONG: Final = 0.02
_DAMAGED: Final = 0.03
#: Not a line of the catalogue: section 2.7, column SSRef.
_ID: Final = "SSR"


def type_in_references(council: Council, register: Register, defects: list[Defect]) -> None:
    """Fills `references` of some records, and logs those that point wrong."""
    rng = defect_rng(council.settings.seed, "all", "references")
    quality = council.settings.quality
    cut_over = council.settings.kind.cutover is not None

    def link(record: Appearance, other: Appearance, log: DefectLog) -> None:
        chance = rng.random()
        key = other.key
        neighbours = register.by_system[other.system]
        if chance < _WRONG * quality:
            key = neighbours[rng.randrange(len(neighbours))].key
        elif chance < (_WRONG + _DAMAGED) * quality:
            key = key[1:]
        if key != other.key:
            log.add(_ID, "reference", record.key, other.system, record.recorded_night)
        record.references[other.system] = key

    for (system, person_id), record in list(register.of_person.items()):
        log = DefectLog(defects, system)
        if system == "controcc" or record.is_test or "reidentified" in council.people[person_id - 1].tags:
            continue
        for care in council.care_systems():
            other = register.of_person.get((care, person_id))
            if other is None or care == system or (cut_over and system != "systmone"):
                continue  # what the migration wrote is `migration.py`'s business
            if rng.random() < (_IN_SYSTMONE if system == "systmone" else _BETWEEN_CARE):
                link(record, other, log)
        health = register.of_person.get(("systmone", person_id))
        if system != "systmone" and health is not None and rng.random() < _IN_CARE:
            link(record, health, log)
