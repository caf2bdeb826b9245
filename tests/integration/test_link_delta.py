"""A delta run believes exactly what a full run over the same records would, and order of arrival does not matter."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from domain.profile import Profile
from tests.support.linkage_council import LinkageCouncil
from tests.support.linkage_numbers import nhs_number

SURNAMES = (
    "Oakhampton",
    "Pym",
    "Vale",
    "Hussain",
    "Kowalska",
    "Thorne",
    "Quill",
    "Brack",
    "Mottram",
    "Zeal",
    "Ince",
    "Yarrow",
)
FORENAMES = ("Iris", "Olive", "Walter", "Peggy", "Mohammed", "Ewa", "Ivor", "Ruby", "Cyril", "Nora", "Hugh", "Zofia")


@pytest.fixture
def council(database: Profile, admin_url: str) -> Iterator[LinkageCouncil]:
    with LinkageCouncil(database, admin_url) as small:
        yield small


def invented(chance: random.Random, people: int = 30) -> dict[str, Any]:
    """What some system might say of one of a few people, so that records meet, clash and change their minds often."""
    who = random.Random(chance.randrange(people))
    fields: dict[str, Any] = {
        "forename": who.choice(FORENAMES), "surname": who.choice(SURNAMES), "sex": who.choice("12"),
        "birth_date": f"19{who.randrange(25, 99)}-{who.randrange(1, 13):02d}-{who.randrange(1, 29):02d}",
        "postcode": f"AV{who.randrange(1, 6)} {who.randrange(1, 9)}A{who.choice('ABDE')}",
    }  # fmt: skip
    number = nhs_number(who.randrange(people))
    if chance.random() < 0.6:
        fields["nhs_number_supplied"] = number if chance.random() < 0.8 else nhs_number(chance.randrange(people))
        fields["nhs_number_verified"] = chance.random() < 0.7
    for field, others in (("forename", FORENAMES), ("surname", SURNAMES), ("birth_date", ("1941-03-17", "1950-01-01"))):
        if chance.random() < 0.15:
            fields[field] = chance.choice(others)
    if chance.random() < 0.2:
        fields["postcode"] = None
    return fields


def forget_the_last_run(council: LinkageCouncil) -> None:
    """The next run compares everything anew, as after a change of the model."""
    council.connection.execute(
        "truncate identity.standardised_record; update ledger.link_run set input_digest = 'another'"
    )


@pytest.mark.property
def test_delta_equals_full_after_every_night(council: LinkageCouncil) -> None:
    chance = random.Random(2)
    keys = [f"{source}:{n}" for source in ("systmone", "liquidlogic", "carefirst") for n in range(22)]
    for night in range(3):
        council.night(night)
        for key in keys if night == 0 else chance.sample(keys, 4):
            council.put(key, **invented(chance))
        if night:
            council.end(chance.choice(keys))
            one, other = chance.sample(keys, 2)
            council.decide(one, other, chance.choice(["same", "not_same", "cannot_tell"]))
        delta = council.link()
        kind = council.one(
            "select report -> 'method' ->> 'kind_of_run' from ledger.link_run order by link_run_id desc limit 1"
        )
        assert kind == ("pairs with at least one changed record" if night else "all pairs")
        believed = council.state()
        versions = council.one("select count(*) from identity.membership") + council.one(
            "select count(*) from identity.link"
        )
        forget_the_last_run(council)
        full = council.link()
        assert full.counts["pairs_compared"] >= delta.counts["pairs_compared"]
        assert council.state() == believed
        assert versions == council.one("select count(*) from identity.membership") + council.one(
            "select count(*) from identity.link"
        ), "a full run over the same records adds no version"


@pytest.mark.property
def test_the_order_of_arrival_does_not_matter(council: LinkageCouncil) -> None:
    chance = random.Random(7)
    records = [(f"{chance.choice(('systmone', 'liquidlogic', 'carefirst'))}:{n}", invented(chance)) for n in range(40)]
    partitions = []
    for night, order in enumerate((records, chance.sample(records, 40))):
        council.night(night)
        council.connection.execute("truncate identity.source_record, identity.person, ledger.link_run cascade")
        for start in range(0, 40, 20) if night else (0,):
            for key, fields in order[start : start + 20] if night else order:
                council.put(key, **fields)
            council.link()
        partitions.append(council.partition())
    assert partitions[0] == partitions[1]


def test_a_run_repeated_from_scratch_gives_the_same_ids(council: LinkageCouncil) -> None:
    chance = random.Random(11)
    for number in range(30):
        council.put(f"systmone:{number}", **invented(chance))
    council.link()
    first = council.state()[0]
    council.connection.execute(
        "truncate identity.person, identity.standardised_record, identity.link, ledger.link_run cascade"
    )
    council.link()
    assert council.state()[0] == first


def test_an_edge_between_unchanged_records_is_not_compared_again(council: LinkageCouncil) -> None:
    iris = {"forename": "Iris", "surname": "Oakhampton", "birth_date": "1941-03-17", "sex": "2", "postcode": "AV1 1AA"}
    council.put("systmone:1", **iris)
    council.put("liquidlogic:7", **iris)
    for number in range(10):
        council.put(
            f"systmone:{100 + number}", **iris | {"forename": f"A{'bcdefghijk'[number]}rn", "birth_date": "1950-02-03"}
        )
    council.link()
    kept = council.one(
        "select version_id from identity.link where rule = 'probabilistic' and decision = 'link' limit 1"
    )
    council.night(1)
    council.put("carefirst:3", forename="Walter", surname="Pym", birth_date="1972-08-30", sex="1", postcode="AV9 9ZZ")
    result = council.link()
    assert (result.counts["changed_records"], result.counts["pairs_compared"]) == (1, 0)
    assert council.one("select count(*) from identity.link where known_to is not null") == 0
    assert kept == council.one("select version_id from identity.link where version_id = %s and known_to is null", kept)
