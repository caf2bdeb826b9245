"""The service lines of a client: what is bought, from whom, at what price, how it is paid.

Component, mechanism and price fit the service type,
so that a return built from them passes its own checks; every text is
CLD Release 2 wording.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from connectors.synthetic.council import Council
from connectors.synthetic.world import TruePerson

NURSING: Final = "Long term support: Nursing care"
RESIDENTIAL: Final = "Long term support: Residential care"
COMMUNITY: Final = "Long term support: Community"
ST_MAX: Final = "Short term support: ST-Max"
LOW_LEVEL: Final = "Short term support: Ongoing low level"
OTHER_SHORT: Final = "Short term support: Other short term"
DIRECT_TO_CARER: Final = "Unpaid carer support: Direct to unpaid carer"
INVOLVING_CARED_FOR: Final = "Unpaid carer support: Support involving the person cared-for"

DIRECT_PAYMENT: Final = "Direct payment"
MANAGED: Final = "CASSR managed personal budget"
COMMISSIONED: Final = "CASSR commissioned support"


@dataclass(frozen=True, slots=True)
class Component:
    """One kind of service line: wording, share, mechanism choices and price."""

    name: str
    share: float
    mechanisms: tuple[str, ...]
    frequency: str
    price: tuple[float, float]
    units: tuple[float, ...]
    description: str


_COMMUNITY: Final = (
    Component("Home support or domiciliary care", 46, (MANAGED, MANAGED, COMMISSIONED), "Hourly", (19.8, 26.5),
              (3.5, 5.25, 7, 10.5, 14, 17.5, 21, 28), "Home care"),
    Component("Direct payment", 22, (DIRECT_PAYMENT,), "Weekly", (85, 520), (1,), "Direct payment"),
    Component("Day support", 11, (MANAGED, COMMISSIONED), "Per session", (38, 72), (1, 2, 3, 4, 5),
    "Day opportunities"),
    Component("Community supported living", 8, (MANAGED, COMMISSIONED), "Weekly", (450, 1600), (1,),
    "Supported living"),
    Component("Extra care housing", 4, (MANAGED, COMMISSIONED), "Weekly", (110, 340), (1,), "Extra care scheme"),
    Component("Shared Lives", 2, (MANAGED,), "Weekly", (380, 640), (1,), "Shared Lives placement"),
    Component("Meals", 2, (COMMISSIONED,), "Weekly", (28, 49), (1,), "Meals at home"),
    Component("Transport", 2, (COMMISSIONED,), "Per session", (7, 19), (2, 4, 6), "Transport to day centre"),
    Component("Professional support: Social worker", 2, (COMMISSIONED,), "Weekly", (30, 60), (1,),
    "Long term support by social worker"),
    Component("Other long term support", 1, (MANAGED, COMMISSIONED), "Weekly", (25, 140), (1,), "Outreach"),
)  # fmt: skip
_FIXED: Final = {
    NURSING: Component("Long term nursing care", 1, ("",), "Weekly", (840, 1450), (1,), "Nursing home placement"),
    RESIDENTIAL: Component("Long term residential care", 1, ("",), "Weekly", (640, 1250), (1,),
    "Residential placement"),
    ST_MAX: Component("Reablement", 1, (COMMISSIONED,), "Weekly", (160, 310), (1,), "Reablement at home"),
    LOW_LEVEL: Component("Equipment", 1, (COMMISSIONED,), "One-off", (18, 420), (1,), "Equipment or minor adaptation"),
}  # fmt: skip
_OTHER_SHORT: Final = (
    Component("Short term residential care", 4, (MANAGED, COMMISSIONED), "Weekly", (640, 980), (1,), "Respite stay"),
    Component("Emergency support", 2, (COMMISSIONED,), "Daily", (45, 120), (3, 5, 7), "Crisis support"),
    Component("Other short term support", 3, (COMMISSIONED,), "Weekly", (60, 180), (1,), "Hospital discharge support"),
)  # fmt: skip
_CARER_DIRECT: Final = (
    Component("Other unpaid carer support", 4, (DIRECT_PAYMENT,), "One-off", (150, 400), (1,), "Carer one-off payment"),
    Component("Unpaid carer universal services", 3, (COMMISSIONED,), "Annually", (60, 160), (1,),
    "Carer support service"),
    Component("Unpaid carer sitting service", 2, (MANAGED, COMMISSIONED), "Hourly", (18, 26), (2, 3, 4),
    "Sitting service"),
)  # fmt: skip
_CARER_RESPITE: Final = (
    Component("Unpaid carer respite", 1, (MANAGED, COMMISSIONED), "Weekly", (620, 980), (1,),
    "Respite for the person cared for"),
)  # fmt: skip
_CHOICES: Final = {
    COMMUNITY: _COMMUNITY, OTHER_SHORT: _OTHER_SHORT, DIRECT_TO_CARER: _CARER_DIRECT,
    INVOLVING_CARED_FOR: _CARER_RESPITE,
}  # fmt: skip


def service_facts(council: Council, rng: random.Random, person: TruePerson, service_type: str) -> dict[str, str]:
    """The facts of a new service line of that type for the person."""
    component = _FIXED.get(service_type)
    if component is None:
        choices = _CHOICES[service_type]
        component = rng.choices(choices, weights=[choice.share for choice in choices])[0]
    provider, location = _provider(council, rng, person, component)
    low, high = component.price
    units = rng.choice(component.units)
    return {
        "service_type": service_type,
        "service_component": component.name,
        "delivery_mechanism": rng.choice(component.mechanisms),
        "provider_name": provider,
        "cqc_location_id": location,
        "unit_cost": f"{low + (high - low) * rng.random():.2f}",
        "cost_frequency": component.frequency,
        "planned_units": f"{units:g}",
        "end_outcome": "",
        "primary_support_reason": person.primary_support_reason,
        "description": component.description,
    }


def _provider(council: Council, rng: random.Random, person: TruePerson, component: Component) -> tuple[str, str]:
    if component.mechanisms == (DIRECT_PAYMENT,) or component.name == "Equipment":
        return "", ""
    homes = len(council.addresses.homes)
    if component.name.startswith("Long term"):
        last = person.addresses[-1]
        for provider in council.providers[:homes]:
            if provider[0] == last.building:
                return provider
        if homes:
            return council.providers[rng.randrange(homes)]
    return council.providers[homes + rng.randrange(len(council.providers) - homes)]
