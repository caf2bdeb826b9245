"""What people decided, and the do-not-link list, holds in the hidden-number test as it does in the run itself."""

from __future__ import annotations

from typing import Any

import pytest

from linkage.clustering import Constraints
from linkage.inputs import Decision
from linkage.masked import Line, relink
from linkage.masked_evidence import constraint_rows, read_constraints, without_what_names
from tests.support.linkage_numbers import nhs_number
from tests.support.linkage_run import LinkedRun, link_all, sources_of
from tests.support.linkage_tables import person

FORENAMES = ("Iris", "Walter", "Olive", "Bertram", "Constance", "Desmond", "Euphemia", "Gilbert")
SURNAMES = ("Oakhampton", "Pym", "Quarrington", "Thistlewood", "Umfreville", "Wolstenholme", "Yarborough", "Zeal")
HEALTH, CARE, OTHER_CARE = 0, 1000, 2000  # where the record ids of each source begin


def everybody() -> list[dict[str, Any]]:
    """Forty people, each with a number in health and in care, and a third record without one."""
    persons = []
    for n in range(40):
        fields: dict[str, Any] = {
            "forename": FORENAMES[n % 8],
            "surname": SURNAMES[n // 8] + FORENAMES[(n * 3) % 8].lower(),
            "birth_date": f"19{30 + n}-{1 + n % 12:02d}-{3 + n % 25:02d}",
            "sex": "12"[n % 2],
            "postcode": f"AV{n % 9} {n % 9}A{'BDEFGHJL'[n % 8]}",
        }
        number = {"nhs_number_supplied": nhs_number(n + 1), "nhs_number_verified": True}
        persons += [
            person(HEALTH + n, "systmone", **fields, **number),
            person(CARE + n, "liquidlogic", **fields, **number),
            person(OTHER_CARE + n, "carefirst", **fields),
        ]
    return persons


def in_use(run: LinkedRun) -> Line:
    return next(line for line in relink(run.calculation, run.model, is_full=True).lines if line.moved_by == 0)


@pytest.mark.parametrize(
    "constraints",
    [
        Constraints(),
        Constraints(alone=frozenset({OTHER_CARE + 3, OTHER_CARE + 7})),
        Constraints(never=frozenset({(CARE + 5, OTHER_CARE + 5), (HEALTH + 5, OTHER_CARE + 5)})),
        Constraints(apart=frozenset({(HEALTH + 9, OTHER_CARE + 9)})),
        Constraints(together=frozenset({(HEALTH + 1, HEALTH + 2)}), ordinary=frozenset({(HEALTH + 1, HEALTH + 2)})),
    ],
    ids=["nothing decided", "records that stay alone", "pairs never joined", "not the same", "same, but two numbers"],
)
def test_at_the_line_in_use_the_sensitivity_table_is_the_run_whatever_people_decided(constraints: Constraints) -> None:
    run = link_all(sources_of(everybody()), constraints)
    counted = run.calculation.execute(
        "select count(*) from decided_edge where decision = 'link' and weight is not null"
    ).fetchall()[0][0]
    here = in_use(run)
    assert (here.people, here.links) == (run.people, counted)
    assert here.people == 40 + len(constraints.alone) + bool(constraints.never) + bool(constraints.apart)


def test_a_pair_of_the_do_not_link_list_is_not_joined_when_numbers_are_hidden_either() -> None:
    free = link_all(sources_of(everybody()))
    assert in_use(free).found == in_use(free).sample
    hidden = [record for (record,) in free.calculation.execute("from hidden_link select record_id").fetchall()]
    assert len(hidden) > 3, "the sample of this small council"
    # With the third record the hidden one may not meet, only one of the two can stand with the partner.
    kept_apart = frozenset((record, record + OTHER_CARE - CARE) for record in hidden)
    bound = in_use(link_all(sources_of(everybody()), Constraints(never=kept_apart)))
    assert bound.sample == len(hidden)
    assert bound.found < len(hidden)


def test_what_reviewers_said_of_a_hidden_record_is_forgotten_and_the_list_is_not() -> None:
    pairs = frozenset({(1, 2), (3, 4)})
    told = Constraints(pairs, pairs, pairs, pairs, pairs, pairs, frozenset({1, 9}))
    left = without_what_names(told, frozenset({2}))
    assert {left.together, left.apart, left.undecided, left.attention, left.ordinary} == {frozenset({(3, 4)})}
    assert (left.never, left.alone) == (told.never, told.alone)


def test_constraints_come_back_from_the_run_as_they_were_given() -> None:
    told = Constraints(
        together=frozenset({(1, 2)}), apart=frozenset({(3, 1001)}), never=frozenset({(4, 5)}), alone=frozenset({7})
    )
    run = link_all(sources_of(everybody()), told, [Decision(1, 2, "same", "Pat")])
    assert read_constraints(run.calculation) == told
    assert len(constraint_rows(told)) == 4
