"""MiCare's person number: eight digits with leading zeros and a check letter (`00123456K`).

The sources hand-book (6.2) says only that there is a check letter. How it is worked out is an assumption of ours, to be
corrected at a site: the digits times 9, 8 … 2, added up, modulo 23, looked up in `LETTERS`. The database has the same
rule as `landing.micare_check_letter`; a test holds both together.
"""

from __future__ import annotations

import re
from typing import Final

DIGITS: Final = 8
LETTERS: Final = "ABCDEFGHJKLMNPQRSTVWXYZ"  # 23 letters; I, O and U are too easily misread

_TYPED: Final = re.compile(r"0*([0-9]{1,8})([A-Z]?)")


def check_letter(digits: str) -> str:
    """The letter that belongs to eight digits. Raises `ValueError` for anything else."""
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdecimal()):
        raise ValueError("a person number has eight digits before its check letter")
    return LETTERS[sum(int(digit) * (9 - place) for place, digit in enumerate(digits)) % len(LETTERS)]


def is_right(number: str) -> bool:
    """Whether a number is whole, zeros and letter included, and its letter belongs to its digits."""
    return len(number) == DIGITS + 1 and completed(number) == number


def completed(typed: str) -> str | None:
    """The whole number for one typed by hand, without its leading zeros or its letter; None when it cannot be one.

    A letter that was typed must be the right one: a wrong letter says that a digit is wrong.
    """
    match = _TYPED.fullmatch("".join(typed.split()).upper())
    if match is None:
        return None
    digits = match.group(1).zfill(DIGITS)
    letter = check_letter(digits)
    return digits + letter if match.group(2) in ("", letter) else None
