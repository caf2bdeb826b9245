"""The local codes of the simulated CareFirst: short, padded, with some retired ones nobody describes any more.

`data/carefirst_codes.csv` gives each code its meaning in the wording of the national lists. The connector has code maps
of its own (`connectors/carefirst/codes`); that the two agree is tested, not assumed.
"""

from __future__ import annotations

from connectors.synthetic.local_codes import local_codes


def code(code_set: str, meaning: str) -> str:
    """The local code for a meaning; empty for an empty meaning.

    Raises:
        KeyError: when the supplier has no code for it: a wording outside the national lists.
    """
    return local_codes("carefirst").code(code_set, meaning)


def retired_code(code_set: str, meaning: str) -> str | None:
    """A code of earlier years for the same meaning, missing from `CF_CODE`; None when there is none."""
    return local_codes("carefirst").retired.get((code_set, meaning))


def described_codes() -> tuple[tuple[str, str, str], ...]:
    """Code set, code and meaning of every code `CF_CODE` describes."""
    return local_codes("carefirst").described


def element_code(component: str, mechanism: str) -> str:
    """What is bought and how it is paid for, in one code: component, then mechanism (`HOMC-DP`)."""
    parts = (code("COMPONENT", component), code("MECHANISM", mechanism))
    return "-".join(part for part in parts if part)
