"""The local codes of the simulated MiCare: a letter for the list, two digits for the entry; some retired ones.

`data/micare_codes.csv` gives each code its meaning in the wording of the national lists. The connector has code maps of
its own (`connectors/micare/codes`); that the two agree is tested, not assumed.
"""

from __future__ import annotations

from connectors.synthetic.local_codes import local_codes


def code(code_set: str, meaning: str) -> str:
    """The local code for a meaning; empty for an empty meaning. Raises `KeyError` for a wording outside the lists."""
    return local_codes("micare").code(code_set, meaning)


def retired_code(code_set: str, meaning: str) -> str | None:
    """A code of earlier years for the same meaning, missing from `CODES`; None when there is none."""
    return local_codes("micare").retired.get((code_set, meaning))


def described_codes() -> tuple[tuple[str, str, str], ...]:
    """Code set, code and meaning of every code `CODES` describes."""
    return local_codes("micare").described
