"""What the contenders of the linkage benchmark have in common: blocking rules, the best comparisons for Splink, guards.

Nothing here is trained and nothing is tuned on a truth; levels and rules are those of the linkage hand-book, 5 to 8.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from linkage.executor import IdentifierStage

_YEAR: Final = "substr(l.birth_date, 1, 4) = substr(r.birth_date, 1, 4)"
_OUTCODE: Final = "split_part(l.postcode, ' ', 1) = split_part(r.postcode, ' ', 1)"

#: Nine rules of the hand-book's table (6), each an equality join; whole postcodes make most of the pairs.
RULES: Final = (
    "l.nhs_number = r.nhs_number",
    "l.birth_date = r.birth_date and l.surname = r.surname",
    "l.birth_date = r.birth_date and l.forename = r.forename",
    f"l.birth_date = r.birth_date and l.sex = r.sex and {_OUTCODE}",
    "l.birth_date = r.birth_date and l.sex = r.sex and substr(l.surname, 1, 3) = substr(r.surname, 1, 3)",
    f"l.surname = r.surname and l.sex = r.sex and {_YEAR} and substr(l.birth_date, 9, 2) = substr(r.birth_date, 9, 2)",
    "l.postcode = r.postcode",
    f"l.forename = r.forename and l.surname = r.surname and {_YEAR}",
    f"l.surname = r.surname and l.forename = r.forename and {_OUTCODE}",
)
#: The lightest of them, as columns: what recordlinkage can index in memory.
TIGHT_COLUMNS: Final = (("birth_date", "surname"), ("birth_date", "forename"), ("birth_date", "postcode"))
TIGHT_RULES: Final = tuple(" and ".join(f"l.{c} = r.{c}" for c in columns) for columns in TIGHT_COLUMNS)


def _level(label: str, condition: str, frequency: str | None = None) -> dict[str, Any]:
    level: dict[str, Any] = {"label_for_charts": label, "sql_condition": condition}
    if frequency:
        level |= {"tf_adjustment_column": frequency, "tf_minimum_u_value": 1e-6,
                  "disable_tf_exact_match_detection": True}  # fmt: skip
    return level


def _null(*columns: str) -> dict[str, Any]:
    condition = " or ".join(f"{c}_{side} is null" for c in columns for side in "lr")
    return {"label_for_charts": "missing", "sql_condition": condition, "is_null_level": True}


def _alike(line: float) -> str:
    return (f"jaro_winkler_similarity(forename_l, forename_r) >= {line}"
            f" and jaro_winkler_similarity(surname_l, surname_r) >= {line}")  # fmt: skip


_PARTS: Final = [
    f"substr(birth_date_l, {a}, {n}) = substr(birth_date_r, {a}, {n})" for a, n in ((1, 4), (6, 2), (9, 2))
]
BEST_COMPARISONS: Final[tuple[Mapping[str, Any], ...]] = (
    {"output_column_name": "name", "comparison_levels": [
        _null("forename", "surname"),
        _level("full name equal", "full_name_l = full_name_r", "full_name"),
        _level("nickname", "surname_l = surname_r and list_has_any(nicknames_l, nicknames_r)", "surname"),
        _level("both alike", _alike(0.92)),
        _level("exchanged", "forename_l = surname_r and surname_l = forename_r"),
        _level("former surname", "forename_l = forename_r and (surname_l = previous_surname_r"
               " or previous_surname_l = surname_r)", "forename"),
        _level("surname equal", "surname_l = surname_r", "surname"),
        _level("forename equal", "forename_l = forename_r", "forename"),
        _level("both somewhat alike", _alike(0.8)),
        _level("different", "ELSE")]},
    {"output_column_name": "birth_date", "comparison_levels": [
        _null("birth_date"),
        _level("equal", "birth_date_l = birth_date_r"),
        _level("day and month exchanged", f"{_PARTS[0]} and substr(birth_date_l, 6, 2) = substr(birth_date_r, 9, 2)"
               " and substr(birth_date_l, 9, 2) = substr(birth_date_r, 6, 2)"),
        _level("one slip", "damerau_levenshtein(birth_date_l, birth_date_r) <= 1"),
        _level("two parts", f"({_PARTS[0]} and ({_PARTS[1]} or {_PARTS[2]})) or ({_PARTS[1]} and {_PARTS[2]})"),
        _level("year", _PARTS[0]),
        _level("different", "ELSE")]},
    {"output_column_name": "postcode", "comparison_levels": [
        _null("postcode"),
        _level("equal", "postcode_l = postcode_r", "postcode"),
        _level("one slip", "damerau_levenshtein(postcode_l, postcode_r) <= 1"),
        _level("sector", "left(postcode_l, length(postcode_l) - 2) = left(postcode_r, length(postcode_r) - 2)"),
        _level("outcode", "split_part(postcode_l, ' ', 1) = split_part(postcode_r, ' ', 1)"),
        _level("different", "ELSE")]},
    {"output_column_name": "sex", "comparison_levels": [
        _null("sex"), _level("equal", "sex_l = sex_r"), _level("different", "ELSE")]},
    {"output_column_name": "nhs_number", "comparison_levels": [
        _null("nhs_number"), _level("equal", "nhs_number_l = nhs_number_r"), _level("different", "ELSE")]},
)  # fmt: skip

_DAMERAU: Final = re.compile(r"damerau_levenshtein\(([^()]+)\) <= 1\b")
_JARO: Final = re.compile(r"jaro_winkler_similarity\([^()]+\)")


def guarded(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same levels asked more cheaply, for the same weights (linkage hand-book 8).

    Levenshtein before Damerau–Levenshtein; each Jaro–Winkler also in the null branch, in a condition that never holds,
    so that the database computes it once.
    """
    copy: dict[str, Any] = json.loads(json.dumps(dict(settings)))
    for comparison in copy["comparisons"]:
        used: set[str] = set()
        for level in comparison["comparison_levels"]:
            used.update(_JARO.findall(level["sql_condition"]))
            level["sql_condition"] = _DAMERAU.sub(
                r"(levenshtein(\1) <= 2 and damerau_levenshtein(\1) <= 1)", level["sql_condition"]
            )
        for level in comparison["comparison_levels"]:
            if level.get("is_null_level"):
                never = "".join(f" or {function} < -1" for function in sorted(used))
                level["sql_condition"] = f"{level['sql_condition']}{never}"
    return copy


def fill_unseen(model: dict[str, Any]) -> int:
    """Give levels that training never saw a weight of nothing, so that every engine reads the same; how many."""
    unseen = 0
    for comparison in model["comparisons"]:
        for level in comparison["comparison_levels"]:
            if level.get("is_null_level"):
                continue
            missing = {"m_probability", "u_probability"} - {k for k, v in level.items() if v is not None}
            if missing:
                unseen += 1
                known = [level[k] for k in ("m_probability", "u_probability") if k not in missing]
                level["m_probability"] = level["u_probability"] = known[0] if known else 1e-6
    return unseen


def identifier_agreement() -> str:
    """The points for an equal number, over `<column>_l` and `<column>_r`; 2 are enough: the engine's own definition."""
    return identifier_stage().agreement


def identifier_stage() -> IdentifierStage:
    """The stage all contenders use; a patient's second record stays open to blocking."""
    from linkage.executor import IdentifierStage

    return IdentifierStage.demographic(
        "nhs_number", birth_date="birth_date", forename="forename", surname="surname", postcode="postcode",
        nicknames="nicknames", settles_both=False, weigh=False,
    )  # fmt: skip


def identifier_sql(left: str = "care", right: str = "health") -> str:
    """Fills `accepted`: an equal number, unique on both sides, whose records agree by two points."""
    points = _sides(identifier_agreement())
    return f"""
create table accepted as
with l as (from {left} where nhs_number is not null qualify count(*) over (partition by nhs_number) = 1),
     r as (select r.* from {right} r semi join l using (nhs_number)
           qualify count(*) over (partition by nhs_number) = 1)
select l.record_id as left_id, r.record_id as right_id from l join r on l.nhs_number = r.nhs_number
 where {points} >= 2"""


_NO_NUMBER: Final = "nhs_number_l is distinct from nhs_number_r"
#: Bits taken from a pair, and when: possible twin; possible parent and child (linkage hand-book 7.1).
GUARDS: Final = (
    (-8.0, f"""birth_date_l = birth_date_r and forename_l <> forename_r and not list_has_any(nicknames_l, nicknames_r)
        and jaro_winkler_similarity(forename_l, forename_r) < 0.88
        and substr(forename_l, 1, 3) <> substr(forename_r, 1, 3)
        and not coalesce(forename_l = surname_r and surname_l = forename_r, false)
        and length(forename_l) > 1 and length(forename_r) > 1 and {_NO_NUMBER}"""),
    (-8.0, f"""postcode_l = postcode_r
        and abs(cast(substr(birth_date_l, 1, 4) as int) - cast(substr(birth_date_r, 1, 4) as int)) >= 12
        and substr(birth_date_l, 6) <> substr(birth_date_r, 6) and {_NO_NUMBER}"""),
)  # fmt: skip


def guarded_weight(weight: str) -> str:
    """The weight after the guards, over a pair of records `l` and `r`."""
    return weight + "".join(f" + case when {_sides(condition)} then {bits} else 0 end" for bits, condition in GUARDS)


def _sides(condition: str) -> str:
    return re.sub(r'"?\b(\w+)_([lr])\b"?', r"\2.\1", condition)
