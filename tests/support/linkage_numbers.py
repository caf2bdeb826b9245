"""NHS numbers of the test range that pass the check digit."""

from __future__ import annotations

from domain.identifiers import check_digit


def nhs_number(number: int) -> str:
    """The `number`-th valid number of the 999 block."""
    found = -1
    candidate = 999_000_000
    while True:
        digit = check_digit(str(candidate))
        if digit is not None and len(set(f"{candidate}{digit}")) > 1:
            found += 1
            if found == number:
                return f"{candidate}{digit}"
        candidate += 1
