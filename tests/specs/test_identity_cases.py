"""Every numbered case of who is who, as its page promises it, through the link stage and a real database.

All cases are played once, in one council; a case that is not kept yet says so on its page and has to fail until it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.identity_acts import act_for
from tests.support.identity_facts import fact_for
from tests.support.identity_page import PAGE, rendered
from tests.support.identity_player import play
from tests.support.identity_specs import Case, SpecProblem, cases, cases_of
from tests.support.linkage_council import LinkageCouncil
from tests.support.small_warehouse import SmallWarehouse

CASES = cases()

#: Played along with the others to show that a promise which is not kept is noticed, whatever it is about.
BROKEN = """## Case 90. Nothing of this is so

**Night 1.** Two strangers.

| record | forename | surname | born | sex | postcode |
| --- | --- | --- | --- | --- | --- |
| systmone:1 | Ferdinand | Ganderton | 1932-02-02 | man | ZA1 1AA |
| liquidlogic:7 | Ursula | Hebblethwaite | 1981-10-16 | woman | ZA2 2BB |

| person | records |
| --- | --- |
| A | systmone:1 |
| B | liquidlogic:7 |

| pair | with | rule | decision | reason |
| --- | --- | --- | --- | --- |
| liquidlogic:7 | systmone:1 | probabilistic | link | – |

- A redirects to B
- the best surname of A is Hebblethwaite

**Night 2.** The letters are exchanged.

| person | records |
| --- | --- |
| B | systmone:1 |
| C | liquidlogic:7 |

**Night 3.** They are said to be one.

| person | records |
| --- | --- |
| A | liquidlogic:7, systmone:1 |
"""


def marked(case: Case) -> Any:
    marks = [pytest.mark.xfail(strict=True, reason=case.not_yet)] if case.not_yet else []
    return pytest.param(case, id=f"{case.number:02d} {case.title}", marks=marks)


@pytest.fixture(scope="module")
def played(new_council: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, list[str]]]:
    profile = new_council(tmp_path_factory.mktemp("identity"))
    broken = profile.home / "broken.md"
    broken.write_text(BROKEN, encoding="utf-8")
    address = profile.warehouse_url.replace("postgresql:///", "postgresql://admin@/", 1)
    with LinkageCouncil(profile, address) as council, SmallWarehouse(profile, address) as warehouse:
        yield play([*CASES, *cases_of(broken)], council, warehouse)


@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_case(case: Case, played: dict[int, list[str]]) -> None:
    assert played[case.number] == []


def test_a_case_that_is_not_so_is_told_point_by_point(played: dict[int, list[str]]) -> None:
    assert played[90] == [
        "night 1: of liquidlogic:7 with systmone:1 is said ('', '', ''), not ('probabilistic', 'link', '')",
        "night 1: it is not so: A redirects to B",
        "night 1: it is not so: the best surname of A is Hebblethwaite",
        "night 2: B lost the id of the night before",
        "night 2: C bears the id of somebody else",
        "night 3: people should be liquidlogic:7 + systmone:1 and are liquidlogic:7; systmone:1",
    ]


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ("## Case 7. Too late\n**Night 1.**\n| person | records |\n| --- | --- |\n| A | x:1 |\n", "one by one"),
        ("## Case 1. Nobody after\n**Night 1.**\n- x:1 leaves its system\n", "people after it"),
        ("## Case 1. No night\n| person | records |\n| --- | --- |\n| A | x:1 |\n", "begin a night first"),
        ("## Case 1. What table\n**Night 1.**\n| animal |\n| --- |\n| a cat |\n", "first heading"),
        ("## Case 1. Cells\n**Night 1.**\n| person | records |\n| --- | --- |\n| A |\n", "1 cells and not 2"),
    ],
)
def test_a_page_that_cannot_be_read_says_why(tmp_path: Path, page: str, problem: str) -> None:
    (tmp_path / "1-wrong.md").write_text(page, encoding="utf-8")
    with pytest.raises(SpecProblem, match=problem):
        cases(tmp_path)


def test_a_sentence_that_says_nothing_known_is_refused() -> None:
    for understood in (act_for, fact_for):
        with pytest.raises(SpecProblem, match="somehow"):
            understood("somehow systmone:1 becomes liquidlogic:7")


def test_the_page_of_the_manual_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == rendered(), "stale: run python -m tests.support.identity_page"
