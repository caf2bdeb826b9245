"""What a trial compares, chosen by the fields both files have: comparisons with their levels in Splink's format.

Names stand in one comparison, because forename and surname errors are not independent; every other field has its own
(linkage handbook 7.1). The levels are the same for all files; only their weights are learnt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

Comparison = dict[str, Any]


def comparisons_for(fields: Sequence[str]) -> list[Comparison]:
    """The comparisons for cleaned columns `fields`, names first."""
    made: list[Comparison] = []
    if "name_words" in fields:
        made.append(_comparison("name", _name_levels()))
    if "birth_text" in fields:
        made.append(_comparison("birth_date", _birth_levels()))
    for field in fields:
        kind = re.sub(r"_\d+$", "", field)
        build = _KINDS.get(kind)
        if build:
            made.append(_comparison(field, build(field, [f for f in fields if f != field and _kind(f) == kind])))
    return made


def frequency_columns(comparisons: Sequence[Comparison]) -> list[str]:
    """Columns whose values are weighted by how common they are, in order, each once."""
    found = [
        level["tf_adjustment_column"]
        for comparison in comparisons
        for level in comparison["comparison_levels"]
        if "tf_adjustment_column" in level
    ]
    return list(dict.fromkeys(found))


def _kind(field: str) -> str:
    return re.sub(r"_\d+$", "", field)


def _comparison(name: str, levels: list[dict[str, Any]]) -> Comparison:
    return {"output_column_name": name, "comparison_levels": levels}


def _level(label: str, condition: str, frequency_of: str | None = None) -> dict[str, Any]:
    level: dict[str, Any] = {"label_for_charts": label, "sql_condition": condition}
    if frequency_of:
        level |= {
            "tf_adjustment_column": frequency_of,
            "tf_minimum_u_value": 1e-6,
            "disable_tf_exact_match_detection": True,
        }
    return level


def _null(condition: str) -> dict[str, Any]:
    return {"label_for_charts": "missing", "sql_condition": condition, "is_null_level": True}


def _either_null(column: str) -> str:
    return f"{column}_l is null or {column}_r is null"


_ELSE = {"label_for_charts": "different", "sql_condition": "ELSE"}

_SAME_FORENAME = "forename_l = forename_r"
_SAME_SURNAME = "surname_l = surname_r"
_OTHER_GIVEN = "(list_has_any(given_names_l, given_names_r) or list_has_any(nicknames_l, nicknames_r))"
_OTHER_FAMILY = "list_has_any(surnames_l, surnames_r)"
_SHARED = "len(list_intersect(name_words_l, name_words_r))"
_FEWEST = "least(len(name_words_l), len(name_words_r))"
_INITIAL = "(left(forename_l, 1) = left(forename_r, 1) and least(length(forename_l), length(forename_r)) = 1)"
_EXCHANGED = "(forename_l = surname_r and surname_l = forename_r)"


def _alike(column: str, line: float) -> str:
    return (
        f"(jaro_winkler_similarity({column}_l, {column}_r) >= {line}"
        f" or (left({column}_l, 1) = left({column}_r, 1) and levenshtein({column}_l, {column}_r) <= 1))"
    )


def _name_levels() -> list[dict[str, Any]]:
    crossed = "jaro_winkler_similarity(forename_l, surname_r) >= 0.88"
    crossed += " and jaro_winkler_similarity(surname_l, forename_r) >= 0.88"
    return [
        _null("len(name_words_l) = 0 or len(name_words_r) = 0"),
        _level("full name equal, with further names", f"{_SAME_FORENAME} and {_SAME_SURNAME} and {_SHARED} >= 3",
               "full_name"),
        _level("full name equal", f"{_SAME_FORENAME} and {_SAME_SURNAME}", "full_name"),
        _level("surname equal, forename a nickname or another given name", f"{_SAME_SURNAME} and {_OTHER_GIVEN}",
               "surname"),
        _level("names exchanged", f"{_EXCHANGED}", None),
        _level("three words of the name shared", f"{_SHARED} >= 3"),
        _level("surname equal, forename alike", f"{_SAME_SURNAME} and {_alike('forename', 0.88)}", "surname"),
        _level("forename equal, surname alike", f"{_SAME_FORENAME} and {_alike('surname', 0.88)}", "forename"),
        _level("both alike", f"{_alike('forename', 0.88)} and {_alike('surname', 0.88)}"),
        _level("two words of the name shared", f"{_SHARED} >= 2"),
        _level("names alike but exchanged", crossed),
        _level("another given name shared, surname alike or another shared",
               f"{_OTHER_GIVEN} and ({_OTHER_FAMILY} or {_alike('surname', 0.85)})"),
        _level("surname equal, forename missing or an initial",
               f"{_SAME_SURNAME} and ({_either_null('forename')} or {_INITIAL})", "surname"),
        _level("surname equal only", _SAME_SURNAME, "surname"),
        _level("forename equal, surname missing", f"{_SAME_FORENAME} and ({_either_null('surname')})", "forename"),
        _level("both somewhat alike", "jaro_winkler_similarity(forename_l, forename_r) >= 0.75"
               " and jaro_winkler_similarity(surname_l, surname_r) >= 0.75"),
        _level("forename equal only", _SAME_FORENAME, "forename"),
        _level("another given name or word shared", f"{_OTHER_GIVEN} or {_SHARED} >= 1"),
        _level("surname alike only", _alike("surname", 0.88)),
        _level("forename alike only", _alike("forename", 0.88)),
        dict(_ELSE),
    ]  # fmt: skip


def _birth_levels() -> list[dict[str, Any]]:
    year = "left(birth_text_l, 4) = left(birth_text_r, 4)"
    month = "substr(birth_text_l, 5, 2) = substr(birth_text_r, 5, 2)"
    day = "right(birth_text_l, 2) = right(birth_text_r, 2)"
    estimated = "(right(birth_text_l, 4) = '0101' or right(birth_text_r, 4) = '0101')"
    crossed = "substr(birth_text_l, 5, 2) = right(birth_text_r, 2) and right(birth_text_l, 2) = "
    return [
        _null(_either_null("birth_text")),
        _level("equal", f"birth_text_l = birth_text_r and not {estimated}", "birth_text"),
        _level("equal, 1 January", "birth_text_l = birth_text_r", "birth_text"),
        _level("day and month exchanged", f"{year} and {crossed}substr(birth_text_r, 5, 2)"),
        _level("one digit or two neighbours wrong",
               "levenshtein(birth_text_l, birth_text_r) = 1 or (levenshtein(birth_text_l, birth_text_r) = 2"
               " and damerau_levenshtein(birth_text_l, birth_text_r) = 1)"),
        _level("year equal, one is 1 January", f"{year} and {estimated}"),
        _level("year and month or year and day equal", f"{year} and ({month} or {day})"),
        _level("month and day equal", f"{month} and {day}"),
        _level("two digits wrong", "levenshtein(birth_text_l, birth_text_r) = 2"),
        _level("year equal only", year),
        dict(_ELSE),
    ]  # fmt: skip


def _postcode_levels(field: str, others: Sequence[str]) -> list[dict[str, Any]]:
    other = [_level("equal to another postcode", _crossed(field, others))] if others else []
    return [
        _null(_either_null(field)),
        _level("equal", f"{field}_l = {field}_r", field),
        *other,
        _level("one letter or digit wrong", _one_edit(field)),
        _level("same neighbourhood", f"{field}_sector_l = {field}_sector_r"),
        _level("same district", f"{field}_outcode_l = {field}_outcode_r"),
        dict(_ELSE),
    ]


def _one_edit(field: str) -> str:
    return f"levenshtein({field}_l, {field}_r) <= 2 and damerau_levenshtein({field}_l, {field}_r) <= 1"


def _crossed(field: str, others: Sequence[str]) -> str:
    return " or ".join(f"{field}_l = {o}_r or {o}_l = {field}_r" for o in others)


def _text_levels(field: str, others: Sequence[str]) -> list[dict[str, Any]]:
    other = [_level("equal to another field of the kind", _crossed(field, others))] if others else []
    shared = f"len(list_intersect({field}_words_l, {field}_words_r))"
    return [
        _null(_either_null(field)),
        _level("equal", f"{field}_l = {field}_r", field),
        *other,
        _level("alike", f"jaro_winkler_similarity({field}_l, {field}_r) >= 0.92"
               f" or levenshtein({field}_l, {field}_r) <= 1"),
        _level("two words shared", f"{shared} >= 2"),
        _level("one word shared", f"{shared} = 1"),
        _level("somewhat alike", f"jaro_winkler_similarity({field}_l, {field}_r) >= 0.8"),
        dict(_ELSE),
    ]  # fmt: skip


def _short_levels(field: str, others: Sequence[str]) -> list[dict[str, Any]]:
    other = [_level("equal to another field of the kind", _crossed(field, others))] if others else []
    return [
        _null(_either_null(field)),
        _level("equal", f"{field}_l = {field}_r", field),
        *other,
        _level("one letter or digit wrong", _one_edit(field)),
        dict(_ELSE),
    ]


def _identifier_levels(field: str, others: Sequence[str]) -> list[dict[str, Any]]:
    other = [_level("equal to another number", _crossed(field, others))] if others else []
    return [
        _null(_either_null(field)),
        _level("equal", f"{field}_l = {field}_r"),
        *other,
        _level("one digit or two neighbours wrong", _one_edit(field)),
        _level("two digits wrong", f"levenshtein({field}_l, {field}_r) <= 2"),
        dict(_ELSE),
    ]


def _email_levels(field: str, others: Sequence[str]) -> list[dict[str, Any]]:
    return [
        _null(_either_null(field)),
        _level("equal", f"{field}_l = {field}_r", field),
        _level("same name before the @", f"{field}_user_l = {field}_user_r"),
        _level("alike", f"jaro_winkler_similarity({field}_l, {field}_r) >= 0.92"
               f" or levenshtein({field}_l, {field}_r) <= 2"),
        _level("names before the @ alike", f"jaro_winkler_similarity({field}_user_l, {field}_user_r) >= 0.88"),
        dict(_ELSE),
    ]  # fmt: skip


def _sex_levels(field: str, others: Sequence[str]) -> list[dict[str, Any]]:
    return [_null(_either_null(field)), _level("equal", f"{field}_l = {field}_r"), dict(_ELSE)]


_KINDS = {
    "sex": _sex_levels,
    "postcode": _postcode_levels,
    "place": _text_levels,
    "address": _text_levels,
    "other": _text_levels,
    "region": _short_levels,
    "house_number": _short_levels,
    "telephone": _short_levels,
    "email": _email_levels,
    "identifier": _identifier_levels,
    "nhs_number": _identifier_levels,
}
