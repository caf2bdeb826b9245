"""LNK-1: the linkage report made again from what a run stored says the same, figure by figure and byte by byte."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.profile import Profile
from domain.run import RunContext
from governance.store import Store
from linkage.explain import explain_pair
from linkage.report_rebuild import rebuild
from review import linkage_report
from tests.support.linkage_council import LinkageCouncil
from tests.support.linkage_numbers import nhs_number

SURNAMES = ("Oakhampton", "Pym", "Vale", "Hussain", "Kowalska", "Thorne", "Quill", "Brack")
FORENAMES = ("Iris", "Olive", "Walter", "Peggy", "Mohammed", "Ewa", "Ivor", "Ruby")


@pytest.fixture
def council(database: Profile, admin_url: str) -> Iterator[LinkageCouncil]:
    with LinkageCouncil(database, admin_url) as small:
        yield small


def somebody(who: int) -> dict[str, Any]:
    chance = random.Random(who)
    return {
        "forename": chance.choice(FORENAMES), "surname": chance.choice(SURNAMES), "sex": chance.choice("12"),
        "birth_date": f"19{chance.randrange(25, 99)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}",
        "postcode": f"AV{chance.randrange(1, 6)} {chance.randrange(1, 9)}A{chance.choice('ABDE')}",
        "ethnicity_code": chance.choice("AHMZ"),
    }  # fmt: skip


def fill(council: LinkageCouncil, people: range) -> None:
    for who in people:
        number = {"nhs_number_supplied": nhs_number(who), "nhs_number_verified": who % 3 > 0}
        council.put(f"systmone:{who}", **somebody(who), **number)
        council.put(f"liquidlogic:{who}", **somebody(who), **(number if who % 4 else {}))


def stored(council: LinkageCouncil) -> dict[str, Any]:
    found = council.one("select report from ledger.link_run order by link_run_id desc limit 1")
    assert isinstance(found, dict)
    return found


def again(council: LinkageCouncil) -> dict[str, Any]:
    context = RunContext(council.profile, f"run-{council.runs}", "a test")
    return dict(json.loads(json.dumps(rebuild(Store(council.profile), context))))


def test_lnk_1_a_report_made_again_from_what_was_stored_gives_the_same_figures(
    council: LinkageCouncil, tmp_path: Path
) -> None:
    with pytest.raises(LookupError, match="no link run"):
        again(council)
    fill(council, range(40))
    council.put("carefirst:r", **somebody(3), is_restricted=True)
    council.link()
    assert again(council) == stored(council)
    council.night(1)
    fill(council, range(40, 44))
    council.put("liquidlogic:5", **somebody(5) | {"surname": "Marriedname"})
    council.decide("liquidlogic:8", "systmone:9", "same", "Pat")
    council.decide("liquidlogic:8", "systmone:9", "same", "Sam")
    council.decide("liquidlogic:12", "systmone:12", "not_same", "Pat")
    council.link()
    told = stored(council)
    assert told["method"]["kind_of_run"] == "pairs with at least one changed record"
    assert told["measured"]["run_id"] == "run-1", "each figure says of which run it is"
    assert told["change"]["since_run"] == "run-1"
    assert told["change"]["overturned_decisions"]["overturned"] == 0
    assert told["clerical"]["reviewed"]["by_two_or_more"] == 1
    remade = again(council)
    assert remade == told
    pages = [
        linkage_report.write(report, [], [], tmp_path / name / "page.html").read_bytes()
        for name, report in (("one", told), ("other", remade))
    ]
    assert pages[0] == pages[1]
    council.link()  # nothing new: no report, and the same one made again
    assert again(council) == told


def test_what_changed_since_the_run_is_seen_in_a_report_made_again(council: LinkageCouncil) -> None:
    fill(council, range(12))
    council.link()
    assert again(council) == stored(council)
    council.connection.execute(
        "update identity.link set decision = 'review', reason = 'weak' where version_id = (select min(version_id) "
        "from identity.link where decision = 'link')"
    )
    assert again(council)["counts"]["links"] == stored(council)["counts"]["links"] - 1
    assert again(council)["decision"]["hash"] != stored(council)["decision"]["hash"]


def test_a_stored_link_is_explained_years_later_from_its_own_evidence(council: LinkageCouncil) -> None:
    fill(council, range(6))
    council.put("carefirst:r", **somebody(3), nhs_number_supplied=nhs_number(3), is_restricted=True)
    council.link()
    store, left, right = Store(council.profile), council.number("systmone:1"), council.number("liquidlogic:1")
    with store.connect("linker") as connection:
        told = explain_pair(connection, left, right)
        assert told == explain_pair(connection, right, left)
        weight = council.one(
            "select match_weight from identity.link where known_to is null and left_record_id = %s "
            "and right_record_id = %s", min(left, right), max(left, right),
        )  # fmt: skip
        assert told.total == pytest.approx(weight, abs=1e-5)
        assert told.sentence.startswith("Linked: same verified NHS number and no hard contradiction.")
        assert told.decided_by == "linkage engine" and told.model_version and told.decision == "link"
        protected = explain_pair(connection, council.number("systmone:3"), council.number("carefirst:r"))
        assert protected.bars == ()
        with pytest.raises(KeyError, match="no link"):
            explain_pair(connection, left, council.number("systmone:2"))
