"""The truth of a synthetic council: people, households and everything that really happened to them.

These are the values every simulator writes out from and every scorer judges against. They hold what *is*, never what a
system *says*: defects are made when an `Appearance` is written in a supplier's format, and are logged by `DefectLog`.
NHS numbers come from the 999 range only (handed out by `nhs_numbers.py`),
so that nobody here can be taken for
a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final, Literal

from connectors.synthetic.setting import Setting, load_setting

Sex = Literal["M", "F"]
System = Literal["systmone", "liquidlogic", "carefirst", "micare", "controcc"]
SYSTEMS: Final[tuple[System, ...]] = ("systmone", "liquidlogic", "carefirst", "micare", "controcc")
EventKind = Literal[
    "request", "assessment", "review", "service", "referral", "visit", "appointment",
    "involvement", "safeguarding", "dols",
]  # fmt: skip
FileFaultKind = Literal[
    "missing", "empty", "truncated", "duplicated", "out_of_order", "extra_column", "renamed_column"
]  # fmt: skip
MigrationPattern = Literal[
    "one_to_one", "several_to_one", "one_to_several", "not_migrated", "created_in_both", "re_keyed", "wrong_link"
]  # fmt: skip
EventStatus = Literal["open", "completed", "cancelled"]
ClientType = Literal["Service user", "Unpaid carer", "Unpaid carer known by association"]


@dataclass(frozen=True, slots=True)
class NamePeriod:
    """A name a person used from `valid_from` until the next period begins (marriage, deed poll)."""

    valid_from: date
    forename: str
    middle_names: str
    surname: str


@dataclass(frozen=True, slots=True)
class AddressPeriod:
    """Where a person really lived; `valid_to` None means still."""

    valid_from: date
    valid_to: date | None
    building: str
    number: str
    street: str
    locality: str
    town: str
    postcode: str
    uprn: str
    kind: Literal["home", "care_home", "supported", "no_fixed_abode"]


@dataclass(slots=True)
class TruePerson:
    """One person and the story of their names, addresses and numbers."""

    person_id: int
    sex: Sex
    birth_date: date
    death_date: date | None
    death_known_night: int  # 0 = in the first load; n = systems learn of it on night n
    names: list[NamePeriod]
    addresses: list[AddressPeriod]
    nhs_number: str  # ten digits, 999…
    superseded_nhs_numbers: list[str]
    ethnicity_code: str  # national category A..S
    tradition: str  # naming tradition: british, south_asian_muslim, sikh, polish, chinese, …
    household_id: int
    telephone: str
    email: str
    gp_practice_code: str
    preferred_forename: str  # known-as or nickname; "" when none
    relations: dict[str, list[int]] = field(
        default_factory=dict
    )  # spouse, parent, child, twin, cares_for, cared_for_by
    tags: set[str] = field(
        default_factory=set
    )  # care_client, patient, carer, care_home_resident, restricted, test_person, …
    # what care work knows of the person, in CLD Release 2 wording (domain/codes/cld_r2.csv)
    primary_support_reason: str = "Unknown"
    accommodation_status: str = "Unknown"
    employment_status: str = "Unknown"
    has_unpaid_carer: str = "Unknown"
    autism: str = "Unknown"
    visual_impairment: str = "Unknown"
    hearing_impairment: str = "Unknown"
    dementia: str = "Unknown"
    client_funding_status: str = "Unknown"
    hours_caring: str = ""

    def name_on(self, day: date) -> NamePeriod:
        """The name in use on `day` (the earliest one when `day` lies before all)."""
        current = self.names[0]
        for period in self.names:
            if period.valid_from <= day:
                current = period
        return current

    def address_on(self, day: date) -> AddressPeriod:
        """The address in force on `day` (the earliest one when `day` lies before all)."""
        current = self.addresses[0]
        for period in self.addresses:
            if period.valid_from <= day:
                current = period
        return current


@dataclass(slots=True)
class TrueEvent:
    """One thing that really happened, with the night each system first tells of it and of its changes.

    Care events use CLD Release 2 wording in `facts`; keys by kind:
      request     route_of_access, outcome, primary_support_reason, description
      assessment  assessment_type, eligible_needs, method, outcome, primary_support_reason, description
      review      review_reason, outcomes_achieved, method, outcome, primary_support_reason, due_date, description
      service     service_type, service_component, delivery_mechanism, provider_name, cqc_location_id, unit_cost,
                  cost_frequency, planned_units, end_outcome, primary_support_reason, description
      referral    referral_source, service, urgency, primary_reason, discharge_reason
      visit / appointment   status, duration_minutes, referral_event_id
      involvement  team (a code of casework.TEAMS), worker (1 to 64), role (a word of casework.ROLES)
      safeguarding concern_date, enquiry_start_date, enquiry_type (section 42, other, "" for a concern only),
                  risk_outcome (remains, reduced, removed, ""), msp_asked (asked, outcomes told / asked, no outcomes
                  told / not asked / not known / ""); its end is the day it was concluded
      dols        received_date (= start), decision (granted, not granted, ""), decided_date (= end), authorised_from,
                  authorised_to, place (care home, hospital); dates ISO, "" until decided
    """

    event_id: int
    person_id: int
    kind: EventKind
    system: System  # the one system that records it
    client_type: ClientType  # Service user for health events
    start_at: datetime
    end_at: datetime | None
    status: EventStatus
    recorded_night: int  # 0 = in the first load; n = first told on night n
    facts: dict[str, str]
    appearance_key: str = ""  # the source_person_key of the record it hangs on (set by appearances.py)
    changed_night: int | None = None  # on this night `changed_*` replaces the values above
    changed_end_at: datetime | None = None
    changed_status: EventStatus | None = None
    changed_facts: dict[str, str] = field(default_factory=dict)
    deleted_night: int | None = None  # the supplier deletes it on this night: it was recorded by mistake
    copy_of: int | None = None  # event_id of the event this one tells again in another system (D87, a cut-over)

    def as_of(self, night: int) -> TrueEvent | None:
        """The event as everybody should know it after `night`; None when not yet told or deleted."""
        if night < self.recorded_night or (self.deleted_night is not None and night >= self.deleted_night):
            return None
        if self.changed_night is None or night < self.changed_night:
            return self
        return TrueEvent(
            event_id=self.event_id,
            person_id=self.person_id,
            kind=self.kind,
            system=self.system,
            client_type=self.client_type,
            start_at=self.start_at,
            end_at=self.changed_end_at,
            status=self.changed_status or self.status,
            recorded_night=self.recorded_night,
            facts={**self.facts, **self.changed_facts},
            appearance_key=self.appearance_key,
            copy_of=self.copy_of,
        )


@dataclass(slots=True)
class Appearance:
    """One record of one person in one system: what that system says of them, defects included.

    `versions` maps a night to the demographic fields as that system holds them from then on; night `recorded_night` is
    always there. Fields: title, forename, middle_names, surname, previous_surname, known_as, nhs_number,
    nhs_number_verified ("Y"/"N"), birth_date (ISO), birth_date_estimated, death_date, sex (M/F/I/U/""), ethnicity_code,
    telephone, email, gp_practice_code. Values are text as a clerk would have typed them,
    before the supplier's own
    format.
    """

    system: System
    key: str  # source_person_key as the connector will see it
    person_id: int  # the truth; never written into a supplier's format
    recorded_night: int
    role: Literal["client", "carer", "patient", "related"]
    versions: dict[int, dict[str, str]]
    addresses: list[AddressPeriod]  # as this system holds them (may be stale, wrong, missing)
    address_defects: dict[int, str] = field(default_factory=dict)  # index into addresses -> defect id
    duplicate_of: str | None = None  # key of the record it duplicates in the same system
    marked_duplicate_night: int | None = None  # the night the system marks it as a duplicate (0 = from the start)
    removed_night: int | None = None  # tombstone or vanishing of the whole record
    references: dict[str, str] = field(default_factory=dict)  # ids typed in from other systems: {"systmone": key, …}
    is_test: bool = False  # a training record (D14)
    is_flagged_test: bool = False
    is_restricted: bool = False
    is_mixed: bool = False  # the fields mix two people (D13); `person_id` is the main one

    def addresses_as_of(self, night_date: date) -> list[tuple[int, AddressPeriod]]:
        """The addresses this system holds in the extract of `night_date`, each with its stable index in `addresses`.

        A move later than that day is not told yet: the new address is left out and the end of the old one is blank.
        """
        held: list[tuple[int, AddressPeriod]] = []
        for index, period in enumerate(self.addresses):
            if period.valid_from >= night_date:
                continue
            if period.valid_to is not None and period.valid_to.toordinal() + 1 >= night_date.toordinal():
                period = replace(period, valid_to=None)
            held.append((index, period))
        return held

    def as_of(self, night: int) -> dict[str, str] | None:
        """The demographic fields this system holds after `night`; None when it does not hold the record then."""
        if night < self.recorded_night or (self.removed_night is not None and night >= self.removed_night):
            return None
        known = max(n for n in self.versions if n <= night)
        return self.versions[known]


@dataclass(frozen=True, slots=True)
class Defect:
    """One injected defect: id of sources' catalogue (D01 …), where it sits, never the value."""

    defect_id: str
    system: str
    table: str
    key: str
    field: str
    night: int = 0


@dataclass(frozen=True, slots=True)
class FileFault:
    """One fault of a whole delivery (D91): the night's own delivery of that system is faulted as `kind` says."""

    system: System
    night: int
    kind: FileFaultKind


@dataclass(frozen=True, slots=True)
class MigrationLink:
    """How one record of the old care system went over to the new one (sources hand-book, 6.3); a key may be ""."""

    old_key: str
    new_key: str  # "" when not migrated
    pattern: MigrationPattern
    load_no: int  # 1, 2 … trial loads; the last one is go-live; 0 for what no load moved


@dataclass(slots=True)
class World:
    """A whole synthetic council. Night 0 is the first load; nights 1 … `nights` follow, one calendar day each."""

    seed: int
    nights: int
    first_night: date  # extract date of night 0
    people: list[TruePerson]
    events: list[TrueEvent]
    appearances: list[Appearance]
    defects: list[Defect]
    providers: list[tuple[str, str]]  # (name, CQC location id)
    organisation_code: str  # ODS code of the community unit whose SystmOne view this is
    organisation_name: str
    gp_practices: list[tuple[str, str]]  # (code, name)
    quality: float = 1.0  # multiplier of every catalogue rate: good 0.5, typical 1, poor 2
    setting: Setting = field(default_factory=lambda: load_setting("two_districts"))
    file_faults: list[FileFault] = field(default_factory=list)
    migration: list[MigrationLink] = field(default_factory=list)
    first_list_item: int = (
        0  # where the numbering of its providers and practices begins: the parts of a county share none
    )

    def faults_of(self, system: System) -> dict[int, FileFaultKind]:
        """Night -> what is wrong with that system's delivery of the night."""
        return {fault.night: fault.kind for fault in self.file_faults if fault.system == system}

    def night_date(self, night: int) -> date:
        """The extract date of that night."""
        return date.fromordinal(self.first_night.toordinal() + night)
