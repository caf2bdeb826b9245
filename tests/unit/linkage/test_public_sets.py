"""Floors on a public set: a guard against regressions of the engine, not evidence about our data.

FEBRL 4 is far more damaged than any council's records, and Australian; the model in use was never trained for it.
What must hold anywhere is that nothing wrong is linked.
"""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from linkage import blocking
from linkage.clustering import Constraints
from linkage.compiled import score_pairs
from linkage.deterministic import apply_ladder
from linkage.engine import form_groups, open_calculation
from linkage.model import load_model
from linkage.quality import PairQuality, quality_of
from linkage.standardise import standardise
from tests.support.linkage_tables import address_table, person, person_table, reference_table

DATA = Path(__file__).parents[2] / "support" / "data"


@pytest.fixture(scope="module")
def records() -> list[dict[str, str]]:
    """Both files of FEBRL 4, stripped, with `side` a or b."""
    found = []
    for side in "ab":
        with (DATA / f"febrl_dataset4{side}.csv").open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines, skipinitialspace=True):
                found.append({key.strip(): value.strip() for key, value in row.items()} | {"side": side})
    return found


def real_date(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def linked(records: list[dict[str, str]], *, with_identifier: bool) -> PairQuality:
    """Link the two files with the model in use and judge all pairs by the truth inside `rec_id`."""
    calculation, model = open_calculation(), load_model()
    rows = [
        person(n, r["side"], forename=r["given_name"] or None, surname=r["surname"] or None,
               birth_date=real_date(r["date_of_birth"]))
        for n, r in enumerate(records)
    ]  # fmt: skip
    standardise(calculation, person_table(rows), address_table(), reference_table(), model=model, synthetic=True)
    foreign = {"pc": "postcode", "born": "date_of_birth", "street": "address_1", "id": "soc_sec_id"}
    columns = {name: pa.array([r[field] or None for r in records], pa.string()) for name, field in foreign.items()}
    calculation.register(
        "foreign_fields", pa.table({"record_id": pa.array(range(len(records)), pa.int64()), **columns})
    )
    # Postcodes and identifiers of another country, put where ours are; nothing else is done for this set.
    calculation.execute(f"""create or replace table standard as
        select s.* replace (f.pc as postcode, left(f.pc, 3) as sector, left(f.pc, 2) as outcode,
                            case when f.pc is null then [] else [f.pc] end as postcodes, f.born as birth_text,
                            case when f.born is not null then false end as birth_estimated, f.street as telephone,
                            {"f.id" if with_identifier else "null::varchar"} as nhs_number)
          from standard s join foreign_fields f using (record_id)""")
    rules = blocking.make_keys(calculation, model.bands)
    blocking.make_stated_pairs(calculation)
    blocking.make_pairs(calculation, model.bands, rules, only_changed=False)
    score_pairs(calculation, model)
    apply_ladder(calculation, model)
    calculation.execute("""create or replace table edge_now as
        select *, decision as pair_decision, reason as pair_reason from edge""")
    grouped = form_groups(calculation, model, Constraints(), None, is_full=True)
    groups = {str(r): number for number, group in enumerate(grouped.grouping.groups) for r in group}
    return quality_of(groups, {str(n): r["rec_id"].split("-")[1] for n, r in enumerate(records)}).overall


@pytest.mark.parametrize(("with_identifier", "recall"), [(False, 0.70), (True, 0.85)])
def test_febrl_4_is_linked_without_a_wrong_pair(
    records: list[dict[str, str]], with_identifier: bool, recall: float
) -> None:
    found = linked(records, with_identifier=with_identifier)
    assert found.true_pairs == 5000
    assert found.precision >= 0.9995
    assert found.recall >= recall
