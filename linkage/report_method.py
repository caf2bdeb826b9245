"""What went in and how it was linked: sections 2 and 3 of the linkage report, counts and parameters only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from linkage.deterministic import RULE_MEANING
from linkage.engine import EdgeFigures
from linkage.model import Model
from linkage.quality import wilson
from linkage.standardise import StandardisedCounts

if TYPE_CHECKING:
    import duckdb

_FIELDS = {
    "forename": "forename is not null",
    "surname": "surname is not null",
    "birth date": "birth_date is not null",
    "sex": "sex is not null",
    "postcode": "postcode is not null",
    "NHS number": "nhs_number is not null",
    "NHS number verified": "nhs_verified",
    "telephone or electronic mail": "coalesce(telephone, email) is not null",
    "general practice": "gp_practice is not null",
}

_STANDARDISING = {
    "names": "plain letters, lower case; titles, notes and placeholders (baby, unknown) are missing; former, "
    "preferred and "
    "middle names are kept as further names; nicknames from a table of groups count as a level of their own",
    "birth date": "1 January 1900 and 1901, and any date far too frequent for its source, are missing; another 1 "
    "January, or "
    "a date the source calls estimated, stays and earns less",
    "postcode": "O and 0, I and 1 repaired by position; ZZ99 codes are missing; a postcode shared by many surnames is "
    "communal: no blocking by it, and little weight",
    "sex": "not known and indeterminate are missing, not values",
    "NHS number": "ten digits with a right check digit, no filler, no number of another country, no test number "
    "outside a "
    "synthetic council; anything else is missing",
    "telephone and electronic mail": "a value that more than eight records share is missing",
}


def source_data(calculation: duckdb.DuckDBPyConnection, counts: StandardisedCounts) -> list[dict[str, Any]]:
    """Section 2: for every source its records, the completeness of each linkage field, and what was wrong with "
    "numbers."""
    shares = ", ".join(f"count(*) filter (where {condition})" for condition in _FIELDS.values())
    rows = calculation.execute(f"""
        select source, count(*), {shares}, count(*) filter (where birth_estimated), count(*) filter (where is_communal),
               count(*) filter (where is_restricted), count(*) filter (where duplicate_of_key is not null)
          from standard group by source order by source""").fetchall()
    shared = dict(
        calculation.execute("""
        select source, sum(n) from (select source, nhs_number, count(*) as n from standard where nhs_number is not null
                                     group by all having count(*) > 1) group by source""").fetchall()
    )
    blocks = []
    for source, records, *rest in rows:
        present, (estimated, communal, restricted, marked) = rest[: len(_FIELDS)], rest[len(_FIELDS) :]
        blocks.append(
            {
                "source": source,
                "records": records,
                "completeness": [
                    {"field": name, **wilson(hits, records).as_dict()}
                    for name, hits in zip(_FIELDS, present, strict=True)
                ],
                "number_verdicts": dict(counts.number_reasons.get(source, {})),
                "birth_dates_estimated": estimated,
                "at_communal_postcodes": communal,
                "restricted": restricted,
                "marked_as_duplicates": marked,
                "records_sharing_a_number_within_the_source": int(shared.get(source, 0)),
            }
        )
    return blocks


def method(model: Model, figures: EdgeFigures) -> dict[str, Any]:
    """Section 3: unit, cleaning, blocking with its pairs, the ladder, the model and every line of decision."""
    counts = figures.blocking
    return {
        "unit": "a record of one source; the records of a person form a group",
        "kind_of_run": "all pairs" if figures.is_full else "pairs with at least one changed record",
        "records_changed": figures.changed,
        "standardising": _STANDARDISING,
        "blocking": [
            {
                "rule": r.rule,
                "pairs": r.pairs,
                "largest_block": r.largest_block,
                "blocks_left_out": r.blocks_left_out,
                "largest_left_out": r.largest_left_out,
            }
            for r in counts.rules
        ],
        "pairs_compared": counts.pairs_compared,
        "possible_pairs": counts.possible_pairs,
        "reduction": 1 - counts.pairs_compared / counts.possible_pairs if counts.possible_pairs else None,
        "ladder": [{"step": rule.value, "rule": meaning} for rule, meaning in RULE_MEANING.items()],
        "model": _model(model),
        "grouping": "links strongest first; human decisions outrank all; never two verified numbers or a pair "
        "that reviewers "
        "parted in one person, also not through a third record; no more than two records of one source and no "
        "birth dates more than ten years apart without a checked number; a link by weight needs the mean support "
        "of both groups and no competitor within the margin",
    }


def parameters(model: Model) -> dict[str, Any]:
    """Every parameter of a version as its files hold them, name frequencies aside: the report's parameter file."""
    return {
        "version": model.version,
        "settings": dict(model.settings),
        "bands": asdict(model.bands),
        "guards": [asdict(guard) for guard in model.guards],
        "facts": dict(model.facts),
    }


def parameters_digest(model: Model) -> str:
    """One hash over all parameters and the frozen name frequencies."""
    told = json.dumps([parameters(model), model.shares], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()


def _model(model: Model) -> dict[str, Any]:
    return {
        "version": model.version,
        "starting_weight": model.starting_weight,
        "facts": dict(model.facts),
        "comparisons": [
            {
                "name": c.name,
                "levels": [
                    {
                        "level": level.label,
                        "m": level.m,
                        "u": level.u,
                        "bits": level.weight,
                        "by_frequency": level.frequency_column,
                    }
                    for level in c.levels
                    if not level.is_null
                ],
            }
            for c in model.comparisons
        ],
        "guards": [{"name": g.name, "meaning": g.meaning, "bits": g.bits} for g in model.guards],
        "lines": {"link": model.bands.link, "review": model.bands.review, "margin": model.bands.margin},
    }
