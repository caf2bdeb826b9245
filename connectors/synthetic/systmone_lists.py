"""Lists of the simulated SystmOne that come whole every night: pick lists, organisations, staff.

The built-in lists of the sources hand-book (2.6) have its labels; the lists behind a referral's `?` columns hold
whatever the world's referrals use, and beside each item a retired one (`zz` in front, as sites do it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connectors.synthetic.keys import SECOND_ORGANISATION_CODE, SECOND_ORGANISATION_NAME
from connectors.synthetic.systmone_extract import Extract
from connectors.synthetic.world import World

VISIT_STATUS: Final = 2005
FOLLOW_UP: Final = 4017
SPEAKS_ENGLISH: Final = 1007
ADDRESS_TYPE: Final = 1012
CONTACT_TYPE: Final = 1015
APPOINTMENT_STATUS: Final = 2001
REFERRAL_SOURCE: Final = 2101
REFERRAL_URGENCY: Final = 2102
REFERRAL_REASON: Final = 2103
DISCHARGE_REASON: Final = 2104

_GROUP_NAMES: Final = {
    VISIT_STATUS: "Visit status",
    FOLLOW_UP: "Follow up details",
    SPEAKS_ENGLISH: "Speaks English",
    ADDRESS_TYPE: "Address type",
    CONTACT_TYPE: "Contact type",
    APPOINTMENT_STATUS: "Appointment status",
    REFERRAL_SOURCE: "Referral source",
    REFERRAL_URGENCY: "Referral urgency",
    REFERRAL_REASON: "Referral primary reason",
    DISCHARGE_REASON: "Referral discharge reason",
}
_BUILT_IN: Final[dict[int, tuple[str, ...]]] = {
    VISIT_STATUS: (
        "Deleted",
        "Finished",
        "Automatically marked as finished",
        "Requested",
        "Cancelled by patient",
        "Cancelled by unit",
        "Cancelled due to death",
        "No access visit",
        "Deferred",
    ),
    FOLLOW_UP: ("Unknown", "No", "Required", "Booked"),
    SPEAKS_ENGLISH: ("Unknown", "Yes", "No"),
    ADDRESS_TYPE: ("Home", "Temporary", "Official", "Correspondence only"),
    CONTACT_TYPE: (
        "Home",
        "Work",
        "Emergency contact",
        "Answering machine",
        "Pager",
        "Mobile",
        "Alternate",
        "Temporary",
        "Skype",
    ),
    APPOINTMENT_STATUS: (
        "Booked",
        "Waiting",
        "Arrived",
        "In progress",
        "Finished",
        "Did not attend",
        "No access visit",
        "Cancelled by patient",
        "Cancelled by unit",
        "Cancelled by other service",
        "Patient walked out",
    ),
}
_REFERRAL_FACTS: Final = {
    REFERRAL_SOURCE: "referral_source",
    REFERRAL_URGENCY: "urgency",
    REFERRAL_REASON: "primary_reason",
    DISCHARGE_REASON: "discharge_reason",
}
_CONTACT_STATUS: Final = {"visit": VISIT_STATUS, "appointment": APPOINTMENT_STATUS}
_ITEMS_EACH: Final = 500
_RETIRED: Final = _ITEMS_EACH // 2
_STAFF_BASE: Final = 12_340_000
_PROFILE_BASE: Final = 44_120_000
_FIRST_NAMES: Final = (
    "Alison",
    "Bhavna",
    "Carol",
    "David",
    "Elaine",
    "Farah",
    "Grace",
    "Hannah",
    "Imran",
    "Jo",
    "Karen",
)
_LAST_NAMES: Final = ("Atkins", "Begum", "Chowdhury", "Dawson", "Ellis", "Forde", "Green", "Hughes", "Iqbal", "Jarvis")
STAFF_COUNT: Final = 220


@dataclass(frozen=True, slots=True)
class PickLists:
    """Every built-in list: group -> label -> item id."""

    items: dict[int, dict[str, int]]

    def item(self, group: int, label: str) -> str:
        """The id to write for a label; `-1`, which means not set, for an empty one. Raises `KeyError` when unknown."""
        return str(self.items[group][label]) if label else "-1"

    def retired(self, group: int, label: str) -> str:
        """The id of the item that stood for the same label before it was retired."""
        return str(self.items[group][label] + _RETIRED)

    @staticmethod
    def missing(group: int) -> str:
        """An id of the right shape that is in no list."""
        return str(group * _ITEMS_EACH + _ITEMS_EACH - 1)


def pick_lists(world: World) -> PickLists:
    """The lists for a world: the built-in labels, and after them whatever else its events use."""
    labels: dict[int, set[str]] = {group: set() for group in _GROUP_NAMES}
    for event in world.events:
        if event.system != "systmone":
            continue
        for facts in (event.facts, event.changed_facts):
            if event.kind == "referral":
                for group, fact in _REFERRAL_FACTS.items():
                    labels[group].add(facts.get(fact, ""))
            elif event.kind in _CONTACT_STATUS:
                labels[_CONTACT_STATUS[event.kind]].add(facts.get("status", ""))
    items = {}
    for group, used in labels.items():
        built_in = _BUILT_IN.get(group, ())
        ordered = [*built_in, *sorted(used - {"", *built_in})]
        items[group] = {label: group * _ITEMS_EACH + place for place, label in enumerate(ordered, start=1)}
    return PickLists(items)


def staff_id(number: int) -> str:
    """The id of staff member `number`, below `STAFF_COUNT`; above it one that the staff list does not have (D86)."""
    return str(_STAFF_BASE + 7 * number)


def profile_id(number: int) -> str:
    """The id of the profile of staff member `number`."""
    return str(_PROFILE_BASE + 11 * number)


def staff_name(number: int) -> str:
    """The invented name of staff member `number`."""
    return f"{_FIRST_NAMES[number % len(_FIRST_NAMES)]} {_LAST_NAMES[number * 5 % len(_LAST_NAMES)]}"


def write_lists(extract: Extract, lists: PickLists) -> None:
    """Send the lists, whole, every night."""
    for night in extract.nights():
        for group, name in sorted(_GROUP_NAMES.items()):
            extract.add(night, "SRMappingGroup", (str(group), name))
            for label, item in lists.items[group].items():
                extract.add(night, "SRMapping", (str(item), str(group), label))
                if group in _REFERRAL_FACTS:
                    extract.add(night, "SRMapping", (str(item + _RETIRED), str(group), f"zz {label}"))
        _organisations(extract, night)
        for number in range(STAFF_COUNT):
            name = staff_name(number)
            user = f"{name.lower().replace(' ', '.')}{number}"
            national = ("NMC PIN", f"{10 + number % 80}A{number:04d}E") if number % 3 else ("", "")
            row = (staff_id(number), name, user, *national, f"5551{number:08d}", "FALSE", "0")
            extract.add(night, "SRStaffMember", row)
    for table in ("SRMapping", "SRMappingGroup", "SROrganisation", "SRStaffMember"):
        extract.close_table(table)


def _organisations(extract: Extract, night: int) -> None:
    world = extract.world
    own: Sequence[tuple[str, str]] = [(world.organisation_code, world.organisation_name), *world.gp_practices]
    if extract.calendar.joins is not None:
        own = [*own, (SECOND_ORGANISATION_CODE, SECOND_ORGANISATION_NAME)]
    for place, (code, name) in enumerate(own):
        number = place + (world.first_list_item if (code, name) in world.gp_practices else 0)
        address = ("", str(1 + number), "Station Road", "", "Ardenvale", "", f"AV1 {1 + number % 9}AA")
        contact = (f"01632 96{number:04d}", "", "", "FALSE", "", "")
        extract.add(night, "SROrganisation", (str(3_200_000 + number), name, code, *address, *contact, "0"))
