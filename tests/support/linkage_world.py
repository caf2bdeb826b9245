"""A synthetic council's records as conforming would hand them to linkage, and the truth about them.

Also the way the model version in use was trained: `python -m tests.support.linkage_world VERSION SEED SCALE` trains a
new one on councils that no test and no demonstration uses, one of each kind, so that it learns the errors of all.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from connectors.synthetic.generate import build_world
from connectors.synthetic.settings import SyntheticSettings
from connectors.synthetic.world import Appearance, World
from linkage.clustering import Constraints
from linkage.engine import find_edges, form_groups, open_calculation
from linkage.inputs import Sources
from linkage.model import Model, load_model
from tests.support.linkage_tables import address_table, person, person_table, reference_table

_SEX = {"M": "1", "F": "2", "I": "9"}


@dataclass(frozen=True, slots=True)
class WorldRecords:
    """Source tables after one night, and record key (`source|key`) -> true person."""

    sources: Sources
    truth: dict[str, int]


def records_after(world: World, night: int) -> WorldRecords:
    """What every system holds after `night`; flagged training people are excluded, as by policy."""
    persons: list[dict[str, Any]] = []
    addresses: list[tuple[int, str]] = []
    references: list[tuple[int, str, str]] = []
    truth: dict[str, int] = {}
    for number, record in enumerate(world.appearances, 1):
        fields = record.as_of(night)
        if fields is None or record.is_flagged_test:
            continue
        truth[f"{record.system}|{record.key}"] = record.person_id
        persons.append(_person(number, record, fields, night))
        addresses += [(number, address.postcode) for address in record.addresses if address.postcode]
        references += [(number, f"{system}_key", key) for system, key in record.references.items()]
    return WorldRecords(Sources(person_table(persons), address_table(addresses), reference_table(references)), truth)


def council(seed: int, scale: float) -> World:
    """A council of its own seed."""
    return build_world(SyntheticSettings(seed=seed, scale=scale))


def groups_of(sources: Sources, model: Model | None = None) -> dict[str, int]:
    """Record key -> number of its group, as a full run without a database forms them."""
    calculation, chosen = open_calculation(), model or load_model()
    find_edges(calculation, sources, chosen, synthetic=True, before=None)
    grouped = form_groups(calculation, chosen, Constraints(), None, is_full=True)
    return {grouped.nodes[r].key: number for number, group in enumerate(grouped.grouping.groups) for r in group}


def _person(number: int, record: Appearance, fields: dict[str, str], night: int) -> dict[str, Any]:
    marked = record.marked_duplicate_night is not None and record.marked_duplicate_night <= night
    open_addresses = [a for a in record.addresses if a.valid_to is None] or record.addresses
    return person(
        number,
        record.system,
        source_person_key=record.key,
        **{
            name: fields[name] or None
            for name in (
                "forename",
                "middle_names",
                "surname",
                "previous_surname",
                "known_as",
                "ethnicity_code",
                "telephone",
                "email",
                "gp_practice_code",
            )
        },
        nhs_number_supplied=fields["nhs_number"] or None,
        nhs_number_verified=fields["nhs_number_verified"] == "Y" if fields["nhs_number"] else None,
        birth_date=_date(fields["birth_date"]),
        birth_date_estimated=fields["birth_date_estimated"] == "Y",
        death_date=_date(fields["death_date"]),
        sex=_SEX.get(fields["sex"]),
        postcode=open_addresses[-1].postcode or None if open_addresses else None,
        is_restricted=record.is_restricted,
        duplicate_of_key=record.duplicate_of if marked else None,
        is_marked_duplicate=marked,
    )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


TRAINED_ON = ("two_districts", "plymouth_like", "wirral_like", "manchester_like", "county_like")


def councils_side_by_side(seed: int, scale: float, settings: Sequence[str] = TRAINED_ON) -> Sources:
    """The records of several councils as if they were one: their keys, numbers and people lie apart."""
    import pyarrow as pa
    import pyarrow.compute as pc

    tables: list[list[pa.Table]] = [[], [], []]
    taken = 0
    for shard, setting in enumerate(settings):
        world = build_world(replace(SyntheticSettings.of(setting, nights=5, seed=seed, scale=scale), shard=shard))
        sources = records_after(world, 5).sources
        for place, table in enumerate((sources.persons, sources.addresses, sources.references)):
            column = table.schema.get_field_index("source_record_id")
            ids = pc.add(table["source_record_id"], taken)
            tables[place].append(table.set_column(column, "source_record_id", ids))
        taken += 10_000_000
    return Sources(*(pa.concat_tables(parts) for parts in tables))


def train_version(version: str, seed: int, scale: float, folder: Path) -> None:
    """Train a model version on the last night of councils of its own and write its files."""
    from linkage import training
    from linkage.standardise import standardise

    sources = councils_side_by_side(seed, scale)
    calculation = open_calculation()
    shares: list[tuple[str, str, float]] = []
    for _ in range(2):  # the first time to count the names, the second to use their frequencies
        standardise(
            calculation,
            sources.persons,
            sources.addresses,
            sources.references,
            model=training.untrained_model(tuple(shares)),
            synthetic=True,
        )
        shares = training.name_shares(calculation, source="systmone")
    trained = training.train(calculation, seed=1)
    facts = {
        "trained_on": f"synthetic councils ({', '.join(TRAINED_ON)}), seed {seed}, scale {scale} each, night 5",
        "records": trained.records,
        "pairs_with_shared_number": trained.pairs_with_shared_number,
        "share_of_true_pairs_among_them": round(trained.share_of_true_pairs, 6),
        "approved_by": "not approved: synthetic data only",
    }
    training.write_version(folder, version, trained, shares, facts)


if __name__ == "__main__":
    train_version(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), Path("linkage/models"))
