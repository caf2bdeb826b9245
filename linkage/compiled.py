"""A model version as one SQL statement: the same match weights as Splink, without preparing every record again.

For each candidate pair it yields the level of every comparison, each part of the weight, the guards, and the plain
facts that the ladder of rules needs. A test holds the weights equal to Splink's to 1e-9 (linkage handbook 8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import log2
from typing import TYPE_CHECKING, Any

from linkage.model import Comparison, Level, Model

if TYPE_CHECKING:
    import duckdb

_COLUMN = re.compile(r"\b([a-z_]+)_([lr])\b")

# The facts of sources 9.1 and linkage 5, each counting nothing, never unknown, when a value is missing.
_FACTS = {
    "same_number": "coalesce(nhs_number_l = nhs_number_r, false)",
    "both_verified": "nhs_verified_l and nhs_verified_r",
    "birth_parts": "coalesce((left(birth_text_l, 4) = left(birth_text_r, 4))::int"
    " + (substr(birth_text_l, 5, 2) = substr(birth_text_r, 5, 2))::int"
    " + (right(birth_text_l, 2) = right(birth_text_r, 2))::int, 0)",
    "birth_exact": "coalesce(not birth_estimated_l and not birth_estimated_r, false)",
    "birth_equal": "coalesce(birth_text_l = birth_text_r, false)",
    "birth_near": "coalesce(damerau_levenshtein(birth_text_l, birth_text_r) = 1 or (left(birth_text_l, 4) = "
    "left(birth_text_r, 4)"
    " and substr(birth_text_l, 5, 2) = right(birth_text_r, 2)"
    " and right(birth_text_l, 2) = substr(birth_text_r, 5, 2)), false)",
    "surname_alike": "coalesce(jaro_winkler_similarity(surname_l, surname_r) >= 0.88, false) or "
    "list_has_any(surnames_l, surnames_r)",
    "forename_alike": "coalesce(jaro_winkler_similarity(forename_l, forename_r) >= 0.88, false)"
    " or list_has_any(given_names_l, given_names_r) or list_has_any(nicknames_l, nicknames_r)"
    " or coalesce(forename_sound_l = forename_sound_r and length(forename_sound_l) > 1, false)"
    " or coalesce(left(forename_l, 1) = left(forename_r, 1)"
    " and (least(length(forename_l), length(forename_r)) = 1 or levenshtein(forename_l, forename_r) <= 1), false)",
    "surname_known": "surname_l is not null and surname_r is not null",
    "forename_known": "forename_l is not null and forename_r is not null",
    "initials_agree": "coalesce(left(forename_l, 1) = left(forename_r, 1), false)",
    "family_begins_alike": "coalesce(left(surname_l, 3) = left(surname_r, 3), false) or list_has_any(surnames_l, "
    "surnames_r)",
    "exchanged": "coalesce((forename_l = surname_r and surname_l = forename_r)"
    " or (len(name_tokens_l) > 1 and name_tokens_l = name_tokens_r), false)",
    "place_equal": "coalesce(postcode_l = postcode_r and not is_communal_l, false) or list_has_any(postcodes_l, "
    "postcodes_r)",
    "sex_differs": "coalesce(sex_l <> sex_r, false)",
    "same_source": "source_l = source_r",
    "any_restricted": "is_restricted_l is distinct from false or is_restricted_r is distinct from false",
}


def level_expressions(settings: Mapping[str, Any]) -> str:
    """The first steps of the statement alone, for a model not trained yet: ends with the step `levelled`."""
    levels = ",\n    ".join(
        f"{_cases([level['sql_condition'] for level in c['comparison_levels']])} as level_{c['output_column_name']}"
        for c in settings["comparisons"]
    )
    return f""", side_by_side as (
  select {_sides(levels)} from pair p join standard l on l.record_id = p.left_id
    join standard r on r.record_id = p.right_id
), levelled as (select {levels} from side_by_side)"""


def compile_scoring(model: Model) -> str:
    """The select that scores the table `pair` over the table `standard`.

    Its columns: left_id, right_id, by_demographics, by_reference, by_mark; for each comparison `level_<name>` (number
    of the level, 0 the first), `weight_<name>` and, where names are weighted by frequency, that part in it;
    `guard_<n>`; the facts of `_FACTS`; `weight` (all parts and guards), `weight_unguarded` (Splink's) and
    `weight_without_number`.
    """
    levels = ",\n    ".join(f"{_levels(c)} as level_{c.name}" for c in model.comparisons)
    guards = ",\n    ".join(f"coalesce({g.condition}, false) as warning_{n}" for n, g in enumerate(model.guards))
    facts = ",\n    ".join(f"({sql}) as {name}" for name, sql in _FACTS.items())
    frequencies = sorted(
        {level.frequency_column for c in model.comparisons for level in c.levels if level.frequency_column}
    )
    common = ",\n    ".join(f"greatest(tf_{f}_l, tf_{f}_r) as frequency_{f}" for f in frequencies)
    weights = ",\n    ".join(f"{_weights(c)} as weight_{c.name}" for c in model.comparisons)
    total = " + ".join(f"weight_{c.name}" for c in model.comparisons)
    start = repr(model.starting_weight)
    # An equal number speaks against the guards; what the rest says by itself has to bear them.
    applied = ",\n    ".join(f"warning_{n} and not same_number as guard_{n}" for n, _ in enumerate(model.guards))
    guarded = (
        " + ".join(f"(case when guard_{n} then {g.bits!r} else 0.0 end)" for n, g in enumerate(model.guards)) or "0.0"
    )
    warned = guarded.replace("guard_", "warning_")
    return f"""
with side_by_side as (
  select p.left_id, p.right_id, p.by_demographics, p.by_reference, p.by_mark,
    {_sides(levels + guards + facts + common)}
    from pair p join standard l on l.record_id = p.left_id join standard r on r.record_id = p.right_id
), levelled as (
  select left_id, right_id, by_demographics, by_reference, by_mark,
    {levels},
    {guards},
    {facts},
    {common}
    from side_by_side
), weighed as (
  select *,
    {applied},
    {weights}
    from levelled
)
select * exclude ({", ".join(f"frequency_{f}" for f in frequencies)}),
       {start} + {total} as weight_unguarded,
       {start} + {total} + {guarded} as weight,
       {start} + {total} + {warned} - weight_nhs_number as weight_without_number
  from weighed"""


def score_pairs(calculation: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Fill the table `scored` for every row of `pair`."""
    calculation.execute(f"create or replace table scored as {compile_scoring(model)}")


def _sides(text: str) -> str:
    columns = sorted({match.group(1) for match in _COLUMN.finditer(text)})
    return ",\n    ".join(f"l.{c} as {c}_l, r.{c} as {c}_r" for c in columns)


def _levels(comparison: Comparison) -> str:
    return _cases([level.condition for level in comparison.levels])


def _cases(conditions: Sequence[str]) -> str:
    arms = [
        f"else {n}" if condition == "ELSE" else f"when {condition} then {n}" for n, condition in enumerate(conditions)
    ]
    return "case " + " ".join(arms) + " end"


def _weights(comparison: Comparison) -> str:
    arms = " ".join(f"when {n} then {_weight(level)}" for n, level in enumerate(comparison.levels))
    return f"case level_{comparison.name} {arms} end"


def _weight(level: Level) -> str:
    if level.is_null:
        return "0.0::double"
    if level.frequency_column is None or level.frequency_weight == 0:
        return f"{level.weight!r}::double"
    common = f"greatest(frequency_{level.frequency_column}, {level.frequency_floor!r}::double)"
    part = f"{level.frequency_weight!r} * ({log2(level.u)!r} - log2({common}))"
    return f"{level.weight!r}::double + coalesce({part}, 0.0)"
