"""Recall of councils' linkage beside Splink's, on every setting: `python -m tests.support.bench_councils SEED SCALE`.

Both see the same standardised records and neither the truth. Splink gets the best model of `make bench-linkage`,
trained by its own methods on the council it links, its rules, the identifier stage first and the guards on top.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.synthetic.generate import build_world
from connectors.synthetic.settings import SyntheticSettings
from linkage.clustering import Constraints
from linkage.engine import find_edges, form_groups, open_calculation
from linkage.model import Model, load_model
from linkage.scoring import open_linker
from onestory.bench_linkage_models import BEST_COMPARISONS, RULES, fill_unseen, guarded_weight, identifier_agreement
from tests.support.linkage_world import WorldRecords, records_after

if TYPE_CHECKING:
    import duckdb

SETTINGS = ("two_districts", "plymouth_like", "wirral_like", "manchester_like", "county_like")
PAGE = Path("docs/benchmarks/councils.md")
_PRECISION = 0.999
_TOGETHER = 1000.0
_ROUNDS = ("l.surname = r.surname and l.forename = r.forename", "l.birth_date = r.birth_date")
_EXACT = "l.forename = r.forename and l.surname = r.surname and l.birth_date = r.birth_date"

_OURS = f"""create or replace table ranked as
with pairs as (
  select g.record_id as left_id, h.record_id as right_id, {_TOGETHER} as score
    from found_group g join found_group h on g.place = h.place and g.record_id < h.record_id
)
select * from pairs
union all select left_id, right_id, weight from edge_now anti join pairs using (left_id, right_id)"""

_PEERS_RECORDS = """create or replace table standard as
select record_id, source, forename, surname, full_name, nicknames, strftime(birth_date, '%Y-%m-%d') as birth_date,
       postcode, sex, nhs_number, list_filter(surnames, lambda s: s <> surname)[1] as previous_surname,
       tf_forename, tf_surname, tf_full_name, record_key from own_standard"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one engine on one kind of pairs: recall at its own line or cut, and at precision 0.999."""

    pairs: int
    precision: float
    recall: float
    recall_at_precision: float


def measure(setting: str, seed: int, scale: float, models: Sequence[Model]) -> dict[str, dict[str, Figures]]:
    """All model versions and Splink on one council: engine -> kind of pairs -> figures."""
    world = build_world(SyntheticSettings.of(setting, nights=5, seed=seed, scale=scale))
    records = records_after(world, 5)
    result = {}
    for model in models:
        ours = open_calculation()
        find_edges(ours, records.sources, model, synthetic=True, before=None)
        grouped = form_groups(ours, model, Constraints(), None, is_full=True)
        _table(ours, "found_group", [(r, n) for n, group in enumerate(grouped.grouping.groups) for r in group])
        ours.execute(_OURS)
        result[f"OneStory {model.version}"] = _judge(ours, records, _TOGETHER)
    _splink(ours)
    return result | {"Splink, best model": _judge(ours, records, 0.0)}


def _splink(ours: duckdb.DuckDBPyConnection) -> None:
    """Fill `ranked` with Splink's pairs: identifier links first, then its weights after the guards."""
    ours.execute("alter table standard rename to own_standard")
    ours.execute(_PEERS_RECORDS)
    settings: dict[str, Any] = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record_id",
        "comparisons": [dict(c) for c in BEST_COMPARISONS],
        "blocking_rules_to_generate_predictions": list(RULES),
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }
    linker, _ = open_linker(ours, settings)
    linker.training.estimate_probability_two_random_records_match([_EXACT, "l.nhs_number = r.nhs_number"], recall=0.9)
    linker.training.estimate_u_using_random_sampling(max_pairs=1_000_000, seed=1)
    for rule in _ROUNDS:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    trained = linker.misc.save_model_to_json()
    fill_unseen(trained)
    linker, _ = open_linker(ours, trained)
    scored = linker.inference.predict(threshold_match_weight=-10).physical_name
    columns = ("forename", "surname", "birth_date", "postcode", "nicknames")
    sides = ", ".join(f"l.{c} as {c}_l, r.{c} as {c}_r" for c in columns)
    ours.execute(f"""create or replace table same_number as
        select l.record_id as left_id, r.record_id as right_id, {sides}
          from standard l join standard r on l.nhs_number = r.nhs_number and l.record_id < r.record_id""")
    ours.execute(f"""create or replace table ranked as
        with accepted as (
          select left_id, right_id, {_TOGETHER} as score from same_number where {identifier_agreement()} >= 2
        )
        from accepted union all
        select least(record_id_l, record_id_r), greatest(record_id_l, record_id_r), {guarded_weight("s.match_weight")}
          from {scored} s join standard l on l.record_id = s.record_id_l join standard r on r.record_id = s.record_id_r
         where (least(record_id_l, record_id_r), greatest(record_id_l, record_id_r))
               not in (select (left_id, right_id) from accepted)""")
    ours.execute("drop table standard; alter table own_standard rename to standard")


def _judge(calculation: duckdb.DuckDBPyConnection, records: WorldRecords, line: float) -> dict[str, Figures]:
    rows = calculation.execute("select record_id, record_key, source, nhs_number is null from standard").fetchall()
    _table(calculation, "true_person", [(r, records.truth[key]) for r, key, _, _ in rows])
    calculation.execute("""create or replace table judged_pair as
        with side as (select s.record_id, s.source = 'systmone' as is_health, s.nhs_number is null as is_without,
                        t.place from standard s join true_person t using (record_id)),
        true_pair as (select a.record_id as left_id, b.record_id as right_id from side a join side b
                          on a.place = b.place and a.record_id < b.record_id),
        wanted as (select left_id, right_id from true_pair union select left_id, right_id from ranked)
        select w.left_id, w.right_id, r.score, a.place = b.place as is_true, a.is_health <> b.is_health as crosses,
               a.is_without or b.is_without as is_without
          from wanted w join side a on a.record_id = w.left_id join side b on b.record_id = w.right_id
          left join ranked r on r.left_id = w.left_id and r.right_id = w.right_id""")
    kinds = {"all pairs": "true", "care to health": "crosses", "number missing": "is_without"}
    return {name: _figures(calculation, where, line) for name, where in kinds.items()}


def _figures(calculation: duckdb.DuckDBPyConnection, where: str, line: float) -> Figures:
    base, linked, right = calculation.execute(f"""select count(*) filter (where is_true),
        count(*) filter (where score >= {line}), count(*) filter (where score >= {line} and is_true)
        from judged_pair where {where}""").fetchall()[0]
    (best,) = calculation.execute(f"""
        with by_score as (select score, count(*) as n, count(*) filter (where is_true) as good from judged_pair
                           where score is not null and {where} group by score),
        above as (select sum(n) over (order by score desc) as n, sum(good) over (order by score desc) as good
                    from by_score)
        select max(good) from above where good >= {_PRECISION} * n""").fetchall()[0]
    return Figures(base, right / linked if linked else 1.0, right / base, (best or 0) / base)


def _table(calculation: duckdb.DuckDBPyConnection, name: str, rows: Sequence[tuple[int, int]]) -> None:
    import pyarrow as pa

    ids, places = zip(*rows, strict=True)
    calculation.register("rows_of_it", pa.table({"record_id": pa.array(ids), "place": pa.array(places)}))
    calculation.execute(f"create or replace table {name} as from rows_of_it")
    calculation.unregister("rows_of_it")


def page(results: Iterable[tuple[str, int, dict[str, dict[str, Figures]]]], command: str) -> str:
    """The table as Markdown."""
    lines = [
        "# Linkage of the synthetic councils",
        "",
        f"Made with `{command}`. Models are trained on another seed; nothing was tuned on this one. Splink has",
        "the best model of `make bench-linkage`, trained on the council it links, the identifier stage first, the",
        "guards on top. Recall is over pairs of records of one person; pairs that blocking never found are missed.",
        "*At the line* is what a run links by itself (Splink: weight 0 and above); the last column ranks pairs by",
        "weight, so that pairs that wait for a person by rule, such as two different valid numbers, count by theirs.",
        "",
        "| setting | seed | pairs | engine | true pairs | precision at the line | recall at the line "
        "| recall at precision 0.999 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for setting, seed, engines in results:
        for engine, kinds in engines.items():
            for kind, f in kinds.items():
                lines.append(
                    f"| {setting} | {seed} | {kind} | {engine} | {f.pairs:,} | {f.precision:.4f} | {f.recall:.4f} "
                    f"| {f.recall_at_precision:.4f} |"
                )
    return "\n".join([*lines, ""])


def main(seed: int, scale: float, versions: Sequence[str]) -> None:
    """Measure every setting and write the page."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    results = []
    for setting in SETTINGS:
        begun = time.process_time()
        results.append((setting, seed, measure(setting, seed, scale, [load_model(v) for v in versions])))
        print(f"{setting}: {time.process_time() - begun:.1f} seconds of processor", flush=True)
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(
        page(results, " ".join(["python -m tests.support.bench_councils", str(seed), str(scale), *versions])),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:] or [load_model().version])
