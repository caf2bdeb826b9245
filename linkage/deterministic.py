"""The ladder of agreed rules: what one pair of records says by itself, before any group is formed.

Number first, then what the sources state themselves, then the model; every rung has its guard against clashes, and two
different verified numbers never link, whatever the score (sources 9.1, linkage 5 and 12). The result is the table
`edge`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from linkage.model import START, Model

if TYPE_CHECKING:
    import duckdb


class Rule(StrEnum):
    """The rungs, strongest first; `HUMAN` stands above them and is applied when groups are formed."""

    HUMAN = "human_decision"
    NHS_VERIFIED = "nhs_verified"
    MARKED_DUPLICATE = "marked_duplicate"
    NHS_CROSS_CHECKED = "nhs_cross_checked"
    CROSS_REFERENCE = "cross_reference"
    PROBABILISTIC = "probabilistic"


RULE_MEANING = {
    Rule.HUMAN: "a reviewer said so",
    Rule.NHS_VERIFIED: "same verified NHS number and no hard contradiction",
    Rule.MARKED_DUPLICATE: "the source itself marks one record as a duplicate of the other",
    Rule.NHS_CROSS_CHECKED: "same NHS number, not verified in both, and the demographics agree (score 2 or more)",
    Rule.CROSS_REFERENCE: "the id of the one is written in the other, and the birth dates are equal",
    Rule.PROBABILISTIC: "match weight at or above the link line",
}

#: Why a pair went to review, in words for a reviewer.
REASON_MEANING = {
    "restricted": "kept for the officers who may see protected records",
    "do_not_link": "a named officer keeps one of the records, or the two of them, out of linkage",
    "needs_notice": "a reviewer said same, but two different verified numbers need an authorised notice",
    "number_contradiction": "same NHS number, but birth date and names contradict each other",
    "number_cross_check_failed": "same NHS number, not verified in both, and the demographics do not support it",
    "number_shared_in_one_source": "same NHS number on two records of one source whose names or birth dates differ",
    "different_verified_numbers": "strong agreement, but two different verified NHS numbers",
    "different_numbers": "strong agreement, but two different NHS numbers, not both verified",
    "mark_contradicted": "marked as a duplicate by the source, but birth date and names contradict each other",
    "reference_without_birth_date": "one record names the other's id, but the birth dates are not equal",
    "guard": "agreement that a twin, or a parent and child, would show as well",
    "little_evidence": "more than half of the possible evidence is missing",
    "weak": "match weight between the review line and the link line",
    "close_competitor": "another candidate is better, as good or nearly as good",
    "group_conflict": "joining the two groups would put two verified numbers into one person",
    "group_not_same": "a reviewer said that records of the two groups are not the same person",
    "group_birth_dates": "joining the two groups would put birth dates more than ten years apart into one person",
    "group_too_many": "joining the two groups would give one source more than two records of one person",
    "group_disagrees": "the other records of the two groups do not support the link",
    "needs_attention": "reviewers contradict each other",
    "undecided": "a reviewer could not tell",
}

# A part that is missing disagrees with nothing.
_NAMES_DISAGREE = """(not exchanged and (forename_known and not (initials_agree or forename_alike)
      or surname_known and not (family_begins_alike or surname_alike)))"""
_BORN_APART = "(birth_exact and birth_parts < 2 and not birth_near)"
_OTHER_FORENAME = "(forename_known and not forename_alike and not exchanged)"


def _contradiction(model: Model) -> str:
    """Sources 9.1: fewer than two parts of the birth date shared, and names that disagree.

    A husband and wife with one initial disagree as well, and so do twins of different sex. It is no contradiction
    when the rest of the record would have linked the two without any number.
    """
    return f"""(weight_without_number < {model.bands.link}
      and (birth_parts < 2 and {_NAMES_DISAGREE} or {_BORN_APART} and {_OTHER_FORENAME}
           or sex_differs and {_OTHER_FORENAME}))"""


# Linkage 5: what the demographics say for a number that is not proven.
_CROSS_CHECK = """((case when birth_equal then 2 when birth_near then 1 else 0 end)
      + (case when exchanged then 2 else surname_alike::int + forename_alike::int end) + place_equal::int)"""


def apply_ladder(calculation: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Fill `edge` from `scored`: one row for every pair that a rule names or that reaches the review line.

    Columns: left_id, right_id, rule, decision and reason of the pair by itself, weight, weight_without_number,
    by_demographics (found without any identifier), numbers (`same`, `different_verified`, `different`, `missing`),
    levels (JSON: every part of the weight). Of a pair with a protected record only the numbers say anything, and what
    they do not settle is kept out of ordinary review, without its evidence (governance PRO-1).
    """
    calculation.execute(f"""create or replace table edge as
    with numbered as (
      select *, case when same_number then 'same' when level_nhs_number = 0 then 'missing'
                     when both_verified then 'different_verified' else 'different' end as numbers,
             {_missing_evidence(model)} as missing_evidence, {_any_guard(model)} as is_guarded
        from scored
    ), judged as (
      select *, {_rule()} as rule, {_review_reason(model)} as review_reason from numbered
    )
    select left_id, right_id, rule,
           case when review_reason is null then 'link' else 'review' end as decision,
           coalesce(review_reason, '') as reason,
           case when any_restricted then 0.0 else weight end as weight,
           case when any_restricted then 0.0 else weight_without_number end as weight_without_number, by_demographics,
           numbers, case when any_restricted then '{{}}' else {_levels_json(model)}::varchar end as levels
      from judged
     where review_reason is distinct from 'reject'""")


def _rule() -> str:
    # A mark says more than a number nobody verified: one file may have any number of merged ones behind it.
    return f"""case
        when same_number and both_verified then '{Rule.NHS_VERIFIED}'
        when same_number and by_mark and {_CROSS_CHECK} >= 2 then '{Rule.MARKED_DUPLICATE}'
        when same_number then '{Rule.NHS_CROSS_CHECKED}'
        when by_mark then '{Rule.MARKED_DUPLICATE}'
        when by_reference and birth_equal then '{Rule.CROSS_REFERENCE}'
        else '{Rule.PROBABILISTIC}' end"""


def _review_reason(model: Model) -> str:
    """Null: link. `reject`: no edge. Anything else: to a person, for this reason."""
    bands, contradiction = model.bands, _contradiction(model)
    despite = "true" if bands.despite_numbers is None else f"weight < {bands.despite_numbers}"
    return f"""case
        when any_restricted then case
          when same_number and both_verified then case when {contradiction} then 'restricted' end
          when same_number then 'restricted'
          else 'reject' end
        when same_number and both_verified then case when {contradiction} then 'number_contradiction' end
        when same_number then case
          when {_CROSS_CHECK} < 2 or {contradiction} then 'number_cross_check_failed'
          when {_BORN_APART} and weight_without_number < {bands.review} then 'number_cross_check_failed'
          when same_source and {_OTHER_FORENAME} then 'number_shared_in_one_source' end
        when numbers = 'different_verified' then case
          when by_mark or by_reference or weight_without_number >= {bands.review} then 'different_verified_numbers'
          else 'reject' end
        when by_mark then case when {contradiction} then 'mark_contradicted' end
        when by_reference and birth_equal then null
        when weight >= {bands.link} and not is_guarded and missing_evidence * 2 <= {len(model.comparisons)} then
          case when numbers = 'different' and {despite} then 'different_numbers' end
        when by_reference then 'reference_without_birth_date'
        when numbers = 'different' and weight_without_number >= {bands.link} then 'different_numbers'
        when weight < {bands.review} then 'reject'
        when is_guarded then 'guard'
        when weight >= {bands.link} then 'little_evidence'
        else 'weak' end"""


def _missing_evidence(model: Model) -> str:
    return " + ".join(f"(level_{c.name} = 0)::int" for c in model.comparisons)


def _any_guard(model: Model) -> str:
    return " or ".join(f"guard_{n}" for n in range(len(model.guards))) or "false"


def _levels_json(model: Model) -> str:
    """Every part of the weight, rounded so that reading it back gives the same figures on any machine."""
    parts = [f"'{START}': {{'level': '', 'weight': {model.starting_weight!r}::double}}"]
    for comparison in model.comparisons:
        labels = ", ".join("'" + level.label.replace("'", "''") + "'" for level in comparison.levels)
        parts.append(
            f"'{comparison.name}': {{'level': ([{labels}])[level_{comparison.name} + 1], "
            f"'weight': weight_{comparison.name}}}"
        )
    for number, guard in enumerate(model.guards):
        parts.append(
            f"'{guard.name}': {{'level': case when guard_{number} then 'applied' else '' end, "
            f"'weight': case when guard_{number} then {guard.bits!r}::double else 0.0::double end}}"
        )
    return f"to_json({{{', '.join(parts)}}})"
