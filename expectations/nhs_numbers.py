"""The NHS number checks of `domain.identifiers`, as SQL, so that values stay in the database.

A test holds both to the same answers; when the rule changes there, it changes here. Numbers that are ten digits as they
stand, nearly all, are judged without tidying.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.identifiers import FILLER_NHS_NUMBERS

_TEN_DIGITS = "~ '^[0-9]{10}$'"
_FILLERS = ", ".join(f"'{number}'" for number in sorted(FILLER_NHS_NUMBERS))


def is_filler(name: str) -> str:
    """SQL: the number is one people type to get past a screen."""
    return _judged(name, lambda number: f"{number} in ({_FILLERS})", otherwise="false")


def is_not_ten_digits(name: str) -> str:
    """SQL: something is there, and it is not ten digits."""
    return _judged(name, lambda _: "false", otherwise=f"{_tidy(name)} <> ''")


def fails_check_digit(name: str) -> str:
    """SQL: ten digits whose last is not the check digit of the first nine; fillers are left to `is_filler`."""
    return _judged(name, lambda number: f"{number} not in ({_FILLERS}) and {_is_wrong(number)}", otherwise="false")


def _judged(name: str, judge: Callable[[str], str], *, otherwise: str) -> str:
    tidy = _tidy(name)
    return (
        f"(case when {name} {_TEN_DIGITS} then {judge(name)} "
        f"when {tidy} {_TEN_DIGITS} then {judge(tidy)} else {otherwise} end)"
    )


def _tidy(name: str) -> str:
    return f"regexp_replace(regexp_replace({name}, '[[:space:]-]', '', 'g'), '[.]0$', '')"


def _is_wrong(number: str) -> str:
    weighted = " + ".join(f"substr({number}, {i}, 1)::int * {11 - i}" for i in range(1, 10))
    # A remainder of 1 would need the digit 10: no such number exists, and '10' never equals one digit.
    return f"mod(11 - mod({weighted}, 11), 11)::text <> substr({number}, 10, 1)"
