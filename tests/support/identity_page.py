"""The page of the manual that tells who is who, case by case, rendered from the same cases that the tests play.

Run `python -m tests.support.identity_page` to write it; a test is red while it is stale.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.identity_specs import cases, pages

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "identity-cases.md"
_HEAD = """# Who is who: numbered cases

What linking promises, case by case. Each case is played by `tests/specs/test_identity_cases.py` through the link stage
and a real database, all of them in one council; this page is rendered from the same files (`tests/specs/identity`) by
`python -m tests.support.identity_page`, and a test fails while it is stale. Everybody in it is invented.

How to read a case: what arrives on a night, and what people do, stands before the table of people; that table says who
is believed to be who after the night's link run. A letter is a lasting id: it means the same person on every night, and
two letters are two people. `no. 1` is an NHS number, verified unless it says otherwise; every case has its own.
"""


def rendered() -> str:
    """The page as it should be."""
    known = cases()
    waiting = [case for case in known if case.not_yet]
    kept = f"{len(known) - len(waiting)} of {len(known)} cases are kept."
    if waiting:
        kept += " Not kept yet: " + ", ".join(str(case.number) for case in waiting) + "."
    list_of_cases = "\n".join(f"{case.number}. [{case.title}](#{_anchor(case.number, case.title)})" for case in known)
    chapters = "\n\n".join(_lower(page.read_text(encoding="utf-8").strip()) for page in pages())
    return f"{_HEAD}\n{kept}\n\n{list_of_cases}\n\n{chapters}\n"


def _lower(text: str) -> str:
    """Every heading one level down: the page has a title of its own."""
    return re.sub(r"^(#+ )", r"#\1", text, flags=re.MULTILINE)


def _anchor(number: int, title: str) -> str:
    text = re.sub(r"[^a-z0-9 -]", "", f"case {number}. {title}".lower())
    return text.replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
