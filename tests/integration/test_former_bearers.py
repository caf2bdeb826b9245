"""A key that was given to somebody else: whose work is whose, whatever becomes of the key and the people (F47)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from domain.profile import Profile
from domain.run import RunState
from governance.store import Store
from linkage import bearers
from tests.support.small_warehouse import NIGHT_1, NIGHT_2, SmallWarehouse, everyday
from warehouse.build import EVENTS, select_of

NIGHT_3, NIGHT_4 = NIGHT_2 + timedelta(days=1), NIGHT_2 + timedelta(days=2)
KEY = "liquidlogic:L1"  # Ada's, who is in SystmOne as well


@pytest.fixture
def database(unreleased: Profile) -> Profile:
    return unreleased


@pytest.fixture
def warehouse(database: Profile, admin_url: str) -> Iterator[SmallWarehouse]:
    with SmallWarehouse(database, admin_url) as small:
        everyday(small)
        yield small


def hand_over(
    warehouse: SmallWarehouse, moment: datetime, numbers: tuple[int, int], former: str, new: str, key: str = KEY
) -> None:
    """What a link run leaves behind that found another bearer of a key."""
    warehouse.night(moment)
    warehouse.connection.execute(
        "insert into identity.new_bearer (source_record_id, since, former_bearer, bearer, former_person_id) "
        "values (%s, %s, %s, %s, %s)",
        (warehouse.record_number(key), moment, *numbers, former),
    )
    warehouse.person(new, key)


def whose(warehouse: SmallWarehouse, *kinds: str) -> dict[str, str]:
    """Event key -> person, as the release shows it now."""
    told = {}
    for kind in kinds or EVENTS:
        query = f"""select e.event_key, t.person_id from core.{kind} t join core.event e using (event_id)
                     where t.known_to is null"""
        told |= dict(warehouse.connection.execute(query).fetchall())
    return told


def built(warehouse: SmallWarehouse) -> list[str]:
    result = warehouse.build()
    assert result.state is RunState.DONE, result.findings
    assert all(finding.remedy for finding in result.findings)
    return [f"{finding.code} {finding.message.split(' ')[0]}" for finding in result.findings]


def test_f47_through_every_hand_over_each_bearer_keeps_the_work_and_no_other_gets_it(warehouse: SmallWarehouse) -> None:
    assert built(warehouse) == []
    before = whose(warehouse)
    hand_over(warehouse, NIGHT_1, (0, 1), "person-ada", "person-new")
    warehouse.event("request", KEY, "request-1", status="open", end_date=None)  # told otherwise since: the former's
    warehouse.event("request", KEY, "request-2")
    assert built(warehouse) == []
    assert whose(warehouse) == {**before, "request-2": "person-new"}
    assert warehouse.one("select cared_for_person_id from core.caring where known_to is null") == "person-ada"

    hand_over(warehouse, NIGHT_2, (1, 2), "person-new", "person-third")
    warehouse.event("request", KEY, "request-3")
    assert built(warehouse) == ["FORMER_BEARERS_WORK 1"], "the second bearer is nobody now"
    assert whose(warehouse) == {**before, "request-3": "person-third"}

    warehouse.night(NIGHT_3)
    warehouse.connection.execute(
        "update identity.person set superseded_by = 'person-bea' where person_id = 'person-new'"
    )
    assert built(warehouse) == [], "who the second bearer has become is known"
    assert whose(warehouse) == {**before, "request-2": "person-bea", "request-3": "person-third"}

    hand_over(warehouse, NIGHT_4, (2, 0), "person-third", "person-again")
    assert built(warehouse) == ["FORMER_BEARERS_WORK 1"]
    ours = {name: "person-again" for name in before if name not in ("caring-1", "referral-1", "contact-1")}
    assert whose(warehouse) == {**before, **ours, "request-2": "person-bea"}, "the first bearer has the key again"
    assert warehouse.build().facts["release"] == "5", "and nothing is built again where nothing is new"


def test_f47_a_contact_of_the_former_bearers_referral_is_theirs_and_a_withdrawn_record_is_counted_once(
    warehouse: SmallWarehouse,
) -> None:
    hand_over(warehouse, NIGHT_1, (0, 1), "person-ada", "person-new", "systmone:S1")
    warehouse.event("contact", "systmone:S1", "contact-2", referral_event_key="referral-1")
    warehouse.event("contact", "systmone:S1", "contact-3")
    assert built(warehouse) == []
    contacts = {"contact-1": "person-ada", "contact-2": "person-ada", "contact-3": "person-new"}
    assert whose(warehouse, "contact", "referral") == {**contacts, "referral-1": "person-ada"}
    warehouse.night(NIGHT_2)
    for table in ("identity.source_person", "identity.membership"):
        warehouse.end(table, source_record_id=warehouse.record_number("systmone:S1"))
    assert built(warehouse) == ["WITHHELD 4"]
    assert whose(warehouse, "contact", "referral") == {}


def test_f47_work_told_in_two_systems_is_joined_with_the_former_bearers_and_never_with_the_new_ones(
    warehouse: SmallWarehouse,
) -> None:
    warehouse.event("request", "systmone:S1", "request-s1", start_date="2025-06-02")
    hand_over(warehouse, NIGHT_1, (0, 1), "person-ada", "person-new")
    warehouse.person("person-new", "systmone:S2")
    warehouse.event("request", "systmone:S2", "request-s2", start_date="2025-06-01")  # the nearer one
    assert built(warehouse) == []
    run = warehouse.connection.execute
    run("insert into core.replaced_source values ('liquidlogic', 'systmone', '2025-06-01', '2025-06-05', '2025-07-01')")
    pairs = run(f"""select e.event_key, f.event_key from ({select_of("same_event")}) s
                     join core.event e using (event_id) join core.event f on f.event_id = s.same_as_event_id""")
    assert pairs.fetchall() == [("request-s1", "request-1")]


def told_as(warehouse: SmallWarehouse, moment: datetime, key: str, number: str, born: str, name: str) -> None:
    """The source tells of a bearer, the link run notes it, and its line in the ledger follows."""
    warehouse.end("identity.source_person", source_record_id=(record := warehouse.record_number(key)))
    warehouse.connection.execute(
        """insert into identity.source_person (source_record_id, source, source_person_key, nhs_number_supplied,
             birth_date, forename, surname, landed_dataset, landed_version_id, row_digest, known_from)
           select %s, source, source_person_key, %s, %s, %s, %s, 'liquidlogic__person', 1, '', %s
             from identity.source_record where source_record_id = %s""",
        (record, number, born, name, name, moment, record),
    )
    with Store(warehouse.profile).connect("linker") as connection:
        bearers.note(connection, [record])
        bearers.note(connection, [])
    warehouse.night(moment)
    warehouse.connection.execute(
        """update ledger.link_run set persons_seen = (select max(version_id) from identity.source_person)
            where link_run_id = (select max(link_run_id) from ledger.link_run)"""
    )


def test_f47_a_bearer_who_comes_back_is_known_as_the_one_from_before(warehouse: SmallWarehouse) -> None:
    """A row that was let pass by mistake: the next delivery tells of the first bearer again."""
    warehouse.connection.execute(
        "update ledger.link_run set persons_seen = (select max(version_id) from identity.source_person)"
    )
    told_as(warehouse, NIGHT_1, KEY, "9990000026", "1970-03-03", "Marmaduke")
    told_as(warehouse, NIGHT_2, KEY, "9990000034", "1933-01-01", "Rosalind")
    told_as(warehouse, NIGHT_3, KEY, "9990000018", "1950-05-17", "Ada")
    marks = warehouse.connection.execute(
        "select since, former_bearer, bearer, former_person_id from identity.new_bearer order by since"
    ).fetchall()
    assert marks == [
        (NIGHT_1, 0, 1, "person-ada"), (NIGHT_2, 1, 2, "person-ada"), (NIGHT_3, 2, 0, "person-ada"),
    ]  # fmt: skip
