"""NHS numbers that can belong to nobody: ten digits from the 999 block with a valid check digit.

England is played by 9990…–9993… and 9995…–9999…; 9994… plays Scotland,
Northern Ireland and Ireland (sources hand-book, 7.2). A county needs more numbers than that: its later parts have the
blocks 998, 997 and so on down to 901, which were never issued either.
"""

from __future__ import annotations

from typing import Final

from domain.identifiers import FILLER_NHS_NUMBERS

_BLOCK: Final = 1_000_000
_BLOCKS: Final = 99
_STEP: Final = 387_421  # coprime with the block: every prefix comes once, in no visible order
_FOREIGN: Final = range(400_000, 500_000)
#: Documented test values live below; leave them to hand-written tests.
_RESERVED: Final = 1_000


def check_digit(nine: str) -> int | None:
    """The tenth digit for nine digits, by modulus 11; None when no such number exists (sources hand-book, 7.1)."""
    total = sum(int(digit) * weight for digit, weight in zip(nine, range(10, 1, -1), strict=True))
    result = 11 - total % 11
    if result == 10:
        return None
    return 0 if result == 11 else result


def is_valid(number: str) -> bool:
    """Whether ten digits pass the check (a filler such as 9999999999 passes too)."""
    return len(number) == 10 and number.isascii() and number.isdecimal() and check_digit(number[:9]) == int(number[9])


def _is_palindrome(number: str) -> bool:
    return number == number[::-1]


class NumberBook:
    """Hands out every number once."""

    def __init__(self, seed: int, shard: int = 0) -> None:
        """Two books of the same seed hand out the same numbers in the same order; books of two shards share none.

        Raises ValueError for a shard that no block is left for.
        """
        if not 0 <= shard < _BLOCKS:
            raise ValueError(f"there are blocks of numbers for {_BLOCKS} parts of a county, numbered from 0")
        self._block = 999 - shard
        self._next = (seed * 7919) % _BLOCK
        self._left = _BLOCK
        self._next_foreign = shard * (len(_FOREIGN) // _BLOCKS)

    def issue(self) -> str:
        """The next number of an English patient.

        Raises:
            RuntimeError: when the block is used up (about 815,000 numbers).
        """
        while self._left:
            prefix = self._next
            self._next = (self._next + _STEP) % _BLOCK
            self._left -= 1
            if (self._block == 999 and prefix in _FOREIGN) or prefix < _RESERVED:
                continue
            number = self._complete(self._block, prefix)
            if number:
                return number
        raise RuntimeError("the 999 block of NHS numbers is used up: lower the scale")

    def issue_foreign(self) -> str:
        """The next number of another country's scheme, all within 9994…."""
        while True:
            prefix = _FOREIGN.start + self._next_foreign % len(_FOREIGN)
            self._next_foreign += 1
            number = self._complete(999, prefix)
            if number:
                return number

    @staticmethod
    def _complete(block: int, prefix: int) -> str | None:
        nine = f"{block}{prefix:06d}"
        digit = check_digit(nine)
        if digit is None:
            return None
        number = f"{nine}{digit}"
        return None if _is_palindrome(number) or number in FILLER_NHS_NUMBERS else number
