"""Records that follow another system's: a second community unit's view of SystmOne, and finance beside Liquidlogic.

The second unit sees shared patients under the same row with the same values (one shared record, two views) and has some
of its own. Finance (sources hand-book, 4) takes its clients from the case system and goes its own way from then on.
"""

from __future__ import annotations

import random
from typing import Final

from connectors.synthetic.appearances import Register, fields_on
from connectors.synthetic.canaries import is_canary
from connectors.synthetic.choosing import choose, how_many
from connectors.synthetic.council import Council
from connectors.synthetic.defects import DefectLog, defect_rng
from connectors.synthetic.keys import second_unit_key
from connectors.synthetic.world import Appearance, Defect, TrueEvent, TruePerson

_SHARED: Final = 0.20  # of the first unit's patients
_OWN: Final = 0.30  # of care clients who are no patients of the first
_FINANCE_ONLY: Final = 0.005
_OLDER_NAME: Final = 0.15  # of clients who changed their name
_DEATH_FIRST: Final = 0.40  # of deaths told during the run
_NO_NUMBER: Final = 0.30
#: Not a line of the catalogue: section 4, habits of finance.
_ID: Final = "FIN"


def add_second_unit(council: Council, register: Register, defects: list[Defect]) -> None:
    """The second unit's records, told from the night it joins; nothing where the setting has no second unit."""
    joins = council.settings.kind.second_unit_joins_night
    if joins is None:
        return
    rng = defect_rng(council.settings.seed, "systmone", "second unit")
    known = [
        r for r in register.by_system["systmone"]
        if not r.is_test and r.duplicate_of is None and r.recorded_night <= joins and r.removed_night is None
    ]  # fmt: skip
    shared = choose(rng, known, how_many(rng, _SHARED, len(known)))
    keys = {record.key for record in shared}
    shared.extend(r for r in known if r.key not in keys and is_canary(council, r))
    faults = _by_key(defects, {record.key for record in shared})
    log = DefectLog(defects, "systmone")
    for record in shared:
        copy = _view(record, joins)
        register.add(copy, main=False)
        for fault in faults.get(record.key, []):
            log.add(fault.defect_id, fault.table, copy.key, fault.field, joins)
    own = [
        council.people[number - 1] for number in council.care
        if "patient" not in council.people[number - 1].tags and "care_client" in council.people[number - 1].tags
    ]  # fmt: skip
    for person in choose(rng, own, how_many(rng, _OWN, len(own))):
        key = second_unit_key(register.next_key("systmone", rng))
        fields = {joins: fields_on(council, person, joins, "")}
        restricted = "restricted" in person.tags
        addresses = [] if restricted else list(person.addresses)
        record = Appearance("systmone", key, person.person_id, joins, "patient", fields, addresses)
        record.is_restricted = restricted
        register.add(record, main=False)


def _by_key(defects: list[Defect], keys: set[str]) -> dict[str, list[Defect]]:
    found: dict[str, list[Defect]] = {}
    for defect in defects:
        if defect.system == "systmone" and defect.key in keys:
            found.setdefault(defect.key, []).append(defect)
    return found


def _view(record: Appearance, joins: int) -> Appearance:
    """The same record as the second unit sees it."""
    now = max(night for night in record.versions if night <= joins)
    versions = {joins: dict(record.versions[now])}
    versions |= {night: dict(fields) for night, fields in record.versions.items() if night > joins}
    return Appearance(
        "systmone", second_unit_key(record.key), record.person_id, joins, record.role, versions,
        list(record.addresses), dict(record.address_defects), is_restricted=record.is_restricted,
        is_mixed=record.is_mixed,
    )  # fmt: skip


def add_finance(council: Council, register: Register, events: list[TrueEvent], defects: list[Defect]) -> None:
    """A finance record for everybody with a service in Liquidlogic, and a few whom only finance knows."""
    if not council.settings.kind.finance:
        return
    rng = defect_rng(council.settings.seed, "controcc", "clients")
    log = DefectLog(defects, "controcc")
    since: dict[str, int] = {}
    for event in events:
        if event.system == "liquidlogic" and event.kind == "service":
            since[event.appearance_key] = min(event.recorded_night, since.get(event.appearance_key, 10_000))
    count = 0
    for record in register.by_system["liquidlogic"]:
        wanted = record.key in since or (is_canary(council, record) and record.role == "client")
        if wanted and not record.is_test and record.removed_night is None:
            night = max(record.recorded_night, since.get(record.key, 0))
            _client(council, register, rng, log, record, night)
            count += 1
    strangers = [
        p for p in council.people
        if p.person_id not in council.care and "patient" in p.tags and council.age(p) >= 18
    ]  # fmt: skip
    for person in choose(rng, strangers, max(1, round(_FINANCE_ONLY * count))):
        _stranger(council, register, rng, log, person)


def _client(
    council: Council, register: Register, rng: random.Random, log: DefectLog, record: Appearance, night: int
) -> None:
    person = council.people[record.person_id - 1]
    now = max(n for n in record.versions if n <= night)
    versions = {night: dict(record.versions[now])}
    for later, fields in record.versions.items():
        if later > night:
            versions[min(later + 1, council.settings.nights)] = dict(fields)
    key = register.next_key("controcc", rng)
    finance = Appearance(
        "controcc", key, record.person_id, night, record.role, versions, [],
        references={"liquidlogic": record.key}, is_restricted=record.is_restricted, is_mixed=record.is_mixed,
    )  # fmt: skip
    register.add(finance, main=record.duplicate_of is None)
    if is_canary(council, record):
        return
    if len(person.names) > 1 and rng.random() < _OLDER_NAME:
        for fields in versions.values():
            fields["surname"] = person.names[-2].surname
        log.add(_ID, "client", key, "surname", night)
        log.add("D21", "client", key, "surname", night)
    if rng.random() < _NO_NUMBER:
        for fields in versions.values():
            fields["nhs_number"], fields["nhs_number_verified"] = "", "N"
    _death_first(council, rng, log, person, finance)


def _death_first(council: Council, rng: random.Random, log: DefectLog, person: TruePerson, finance: Appearance) -> None:
    """Finance hears of some deaths before the case workers do: the funeral stops a payment."""
    if person.death_date is None or person.death_known_night <= 0 or rng.random() >= _DEATH_FIRST:
        return
    night = max(finance.recorded_night, council.night_of(person.death_date))
    if not finance.recorded_night < night < person.death_known_night:
        return
    known = max(n for n in finance.versions if n <= night)
    finance.versions[night] = {**finance.versions[known], "death_date": person.death_date.isoformat()}
    finance.versions = dict(sorted(finance.versions.items()))
    for since, fields in finance.versions.items():
        if since > night:
            fields["death_date"] = person.death_date.isoformat()
    log.add(_ID, "client", finance.key, "death_date", night)


def _stranger(council: Council, register: Register, rng: random.Random, log: DefectLog, person: TruePerson) -> None:
    """Somebody finance pays for whom the case system does not hold."""
    plan = council.settings.kind.cutover
    night = plan.go_live_night if plan is not None else 0
    key = register.next_key("controcc", rng)
    fields = {night: fields_on(council, person, night, "")}
    register.add(Appearance("controcc", key, person.person_id, night, "client", fields, []))
    log.add(_ID, "client", key, "key", night)
