"""What the model compares and how: comparisons and their levels, the guards, and the lines a new version starts from.

Training fills in the numbers (`training.py`); a version that has been trained carries its own copy of all this in its
model file, so changing this page changes the next version only (linkage handbook 7.1).
"""

from __future__ import annotations

from typing import Any, Final


def _level(
    label: str, condition: str, frequency_of: str | None = None, floor: float = 1e-6, by: float = 1.0
) -> dict[str, Any]:
    level: dict[str, Any] = {"label_for_charts": label, "sql_condition": condition}
    if frequency_of:
        level |= {
            "tf_adjustment_column": frequency_of,
            "tf_minimum_u_value": floor,
            "disable_tf_exact_match_detection": True,
        }
        if by != 1.0:
            level["tf_adjustment_weight"] = by
    return level


def _null(condition: str) -> dict[str, Any]:
    return {"label_for_charts": "missing", "sql_condition": condition, "is_null_level": True}


def _either_null(*columns: str) -> str:
    return " or ".join(f"{column}_{side} is null" for column in columns for side in "lr")


_SAME_FORENAME: Final = "(forename_l = forename_r or forename_joined_l = forename_joined_r)"
_SAME_SURNAME: Final = "surname_l = surname_r"
_OTHER_GIVEN: Final = "(list_has_any(given_names_l, given_names_r) or list_has_any(nicknames_l, nicknames_r))"
# Names that meet in the list of nicknames only, with another surname, are mostly those of strangers.
_NICKNAME_ONLY: Final = "(list_has_any(nicknames_l, nicknames_r) and not list_has_any(given_names_l, given_names_r))"
_AMONG_GIVEN: Final = "(list_contains(given_names_l, forename_r) or list_contains(given_names_r, forename_l))"
_OTHER_FAMILY: Final = "list_has_any(surnames_l, surnames_r)"
_INITIAL: Final = "(left(forename_l, 1) = left(forename_r, 1) and least(length(forename_l), length(forename_r)) = 1)"
_EXCHANGED: Final = (
    "((forename_l = surname_r and surname_l = forename_r)"
    " or (len(name_tokens_l) > 1 and name_tokens_l = name_tokens_r))"
)


def _alike(column: str, sound: str, line: float) -> str:
    """Alike by letters, by sound, or one letter apart: Jaro–Winkler is too strict with short names (Lipi, Lepi)."""
    return (
        f"(jaro_winkler_similarity({column}_l, {column}_r) >= {line}"
        f" or ({sound}_l = {sound}_r and length({sound}_l) > 1)"
        f" or (left({column}_l, 1) = left({column}_r, 1) and levenshtein({column}_l, {column}_r) <= 1))"
    )


# Where two names agree in part only, the frequency of the full name counts by half: that of one of them would take the
# place of what both together say.
_NAME: Final = {
    "output_column_name": "name",
    "comparison_description": "forename and surname together, because their errors are not independent",
    "comparison_levels": [
        _null(
            "full_name_l is null and full_name_r is null or forename_l is null and surname_l is null"
            " or forename_r is null and surname_r is null"
        ),
        _level("full name equal", "full_name_l = full_name_r", "full_name", 1e-7),
        _level(
            "forename equal, surname shared with a former or double one",
            f"{_SAME_FORENAME} and {_OTHER_FAMILY}",
            "full_name",
            1e-7,
            by=0.5,
        ),
        _level(
            "surname equal, forename a nickname or another given name",
            f"{_SAME_SURNAME} and {_OTHER_GIVEN}",
            "full_name",
            1e-7,
            by=0.5,
        ),
        _level(
            "both alike", f"{_alike('forename', 'forename_sound', 0.92)} and {_alike('surname', 'surname_sound', 0.92)}"
        ),
        _level("names exchanged or in another order", _EXCHANGED),
        _level("surname equal, forename an initial", f"{_SAME_SURNAME} and {_INITIAL}"),
        _level("one part of each shared", f"{_OTHER_GIVEN} and {_OTHER_FAMILY}"),
        _level(
            "given name shared, surname alike",
            f"{_OTHER_GIVEN} and jaro_winkler_similarity(surname_l, surname_r) >= 0.85",
        ),
        _level("surname equal, forename missing", f"{_SAME_SURNAME} and ({_either_null('forename')})"),
        _level("forename equal only", _SAME_FORENAME, "forename"),
        _level("forename among the given names of the other only", _AMONG_GIVEN),
        _level("forename a nickname only", _NICKNAME_ONLY),
        _level("another given name shared only", _OTHER_GIVEN),
        _level("surname equal only", _SAME_SURNAME, "surname"),
        _level(
            "both somewhat alike",
            "jaro_winkler_similarity(forename_l, forename_r) >= 0.8"
            " and jaro_winkler_similarity(surname_l, surname_r) >= 0.8",
        ),
        _level("different", "ELSE"),
    ],
}

_ESTIMATED: Final = "(birth_estimated_l or birth_estimated_r)"
_SAME_YEAR: Final = "left(birth_text_l, 4) = left(birth_text_r, 4)"
_SAME_MONTH: Final = "substr(birth_text_l, 5, 2) = substr(birth_text_r, 5, 2)"
_SAME_DAY: Final = "right(birth_text_l, 2) = right(birth_text_r, 2)"
_BIRTH_DATE: Final = {
    "output_column_name": "birth_date",
    "comparison_description": "date of birth",
    "comparison_levels": [
        _null(_either_null("birth_text")),
        _level("equal", f"birth_text_l = birth_text_r and not {_ESTIMATED}"),
        _level("equal, but estimated", "birth_text_l = birth_text_r"),
        _level(
            "day and month exchanged",
            f"{_SAME_YEAR} and substr(birth_text_l, 5, 2) = right(birth_text_r, 2)"
            " and right(birth_text_l, 2) = substr(birth_text_r, 5, 2)",
        ),
        _level(
            "one digit or two neighbours wrong",
            "hamming(birth_text_l, birth_text_r) = 1 or (hamming(birth_text_l, birth_text_r) = 2"
            " and damerau_levenshtein(birth_text_l, birth_text_r) = 1)",
        ),
        _level("year equal, one is estimated", f"{_SAME_YEAR} and {_ESTIMATED}"),
        _level(
            "two of three parts equal",
            f"({_SAME_YEAR} and ({_SAME_MONTH} or {_SAME_DAY})) or ({_SAME_MONTH} and {_SAME_DAY})",
        ),
        _level("year equal only", _SAME_YEAR),
        _level("different, one is estimated", _ESTIMATED),
        _level("different", "ELSE"),
    ],
}

_POSTCODE: Final = {
    "output_column_name": "postcode",
    "comparison_description": "postcode, with earlier ones",
    "comparison_levels": [
        _null("(postcode_l is null and len(postcodes_l) = 0) or (postcode_r is null and len(postcodes_r) = 0)"),
        _level("equal", "postcode_l = postcode_r and not is_communal_l"),
        _level("an earlier one shared", "list_has_any(postcodes_l, postcodes_r)"),
        _level("equal, but of a communal address", "postcode_l = postcode_r"),
        _level(
            "one letter or digit wrong",
            "levenshtein(postcode_l, postcode_r) <= 2 and damerau_levenshtein(postcode_l, postcode_r) = 1",
        ),
        _level("same sector", "sector_l = sector_r"),
        _level("same outcode", "outcode_l = outcode_r"),
        _level("different", "ELSE"),
    ],
}

_SEX: Final = {
    "output_column_name": "sex",
    "comparison_description": "sex as the source means it",
    "comparison_levels": [_null(_either_null("sex")), _level("equal", "sex_l = sex_r"), _level("different", "ELSE")],
}

_NUMBER: Final = {
    "output_column_name": "nhs_number",
    "comparison_description": "NHS number",
    "comparison_levels": [
        _null(_either_null("nhs_number")),
        _level("equal", "nhs_number_l = nhs_number_r"),
        _level("two different valid numbers", "ELSE"),
    ],
}

_CONTACT: Final = {
    "output_column_name": "contact",
    "comparison_description": "telephone or electronic mail",
    "comparison_levels": [
        _null("coalesce(telephone_l, email_l) is null or coalesce(telephone_r, email_r) is null"),
        _level("one shared", "telephone_l = telephone_r or email_l = email_r"),
        _level("different", "ELSE"),
    ],
}

_PRACTICE: Final = {
    "output_column_name": "gp_practice",
    "comparison_description": "general practice",
    "comparison_levels": [
        _null(_either_null("gp_practice")),
        _level("equal", "gp_practice_l = gp_practice_r"),
        _level("different", "ELSE"),
    ],
}

COMPARISONS: Final[tuple[dict[str, Any], ...]] = (_NAME, _BIRTH_DATE, _POSTCODE, _SEX, _NUMBER, _CONTACT, _PRACTICE)

# Guards hold only where no equal number stands against them; the compiled statement sees to that.
GUARDS: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "possible twin",
        "bits": -8.0,
        "meaning": "birth date equal, forenames unlike and no nicknames, names not exchanged, no equal number",
        "condition": f"birth_text_l = birth_text_r and forename_l is not null and forename_r is not null"
        f" and not {_SAME_FORENAME} and not {_OTHER_GIVEN} and not {_EXCHANGED} and not {_INITIAL}"
        # Short forms that no list holds mostly keep the beginning: Steve, Debra.
        f" and not left(forename_l, 3) = left(forename_r, 3) and not {_alike('forename', 'forename_sound', 0.88)}",
    },
    {
        "name": "possible parent and child",
        "bits": -8.0,
        "meaning": "a postcode shared, birth years at least 12 apart, day and month different, no equal number",
        "condition": "list_has_any(postcodes_l, postcodes_r)"
        " and abs(year(birth_date_l) - year(birth_date_r)) >= 12"
        " and right(birth_text_l, 4) <> right(birth_text_r, 4)",
    },
    {
        "name": "possible brother or sister",
        "bits": -8.0,
        "meaning": "a postcode shared, first forenames different, birth dates share fewer than two parts and "
        "none is estimated, "
        "no equal number",
        "condition": f"list_has_any(postcodes_l, postcodes_r) and forename_l <> forename_r and not {_ESTIMATED}"
        " and hamming(birth_text_l, birth_text_r) > 1 and abs(year(birth_date_l) - year(birth_date_r)) < 12"
        f" and {_SAME_YEAR.replace(' = ', ' <> ')}",
    },
)

BANDS: Final[dict[str, float | int | None]] = {
    "link": 8.0,
    "review": 3.0,
    "margin": 4.0,
    "despite_numbers": None,
    "missing_pair": -5.0,
    "group_mean": -2.0,
    "name_floor": 1e-6,
    "full_name_floor": 1e-7,
    "communal_surnames": 20,
    "block_cap": 40,
    "pair_limit_per_record": 60,
}

#: u of the identifier and of contacts, set by hand: the first is one in the population, the second is shared in
#: households.
FIXED_U: Final[dict[str, tuple[float, ...]]] = {
    "nhs_number": (1e-6, 1 - 1e-6),
    "contact": (0.02, 0.98),
    "gp_practice": (0.10, 0.90),
}

#: m set by hand where a synthetic council makes fewer errors than life does: people change telephone and practice.
FIXED_M: Final[dict[str, tuple[float, ...]]] = {
    "contact": (0.60, 0.40),
    "gp_practice": (0.85, 0.15),
}

#: The least m of a level too seldom in any training: a nickname together with a surname that no record remembers.
#: Synthetic people's former surnames are nearly always on record; in life some three in a hundred are not, and about
#: two in a hundred go by a nickname.
LEAST_M: Final[dict[tuple[str, str], float]] = {("name", "forename a nickname only"): 0.0006}


def untrained_settings() -> dict[str, Any]:
    """The comparisons in Splink's settings format, without any m or u yet."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record_id",
        "probability_two_random_records_match": 0.00002,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "blocking_rules_to_generate_predictions": [],
        "comparisons": [
            {**c, "comparison_levels": [dict(level) for level in c["comparison_levels"]]} for c in COMPARISONS
        ],
    }
