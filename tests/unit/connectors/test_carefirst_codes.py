"""The supplier's codes and our maps of them: every national wording has a way in, and no map leads elsewhere."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import connectors.carefirst
from connectors.spec import table_specs
from connectors.synthetic.carefirst_codes import code, described_codes, element_code, retired_code
from connectors.synthetic.carefirst_tables import COLUMNS
from domain.codes import codes

FOLDER = Path(connectors.carefirst.__file__).parent / "codes"

#: our code set -> the simulator's code set, the national list
SETS = {
    "accommodation_status": ("ACCOM", "Accommodation Status"),
    "assessment_type": ("ASSTYPE", "Assessment Type"),
    "autism": ("ASD", "Autism Spectrum Disorder (ASD)"),
    "budget_support_reason": ("BUDGET", "Primary Support Reason"),
    "client_funding_status": ("FUNDING", "Client Funding Status"),
    "client_type": ("CLIENTTYPE", "Client Type"),
    "cost_frequency": ("FREQUENCY", "Cost Frequency (Unit Type)"),
    "dementia": ("DEMENTIA", "Dementia"),
    "eligible_needs": ("ELIGIBLE", "Eligible Needs Identified"),
    "employment_status": ("EMPLOY", "Employment Status"),
    "event_outcome": ("OUTCOME", "Event Outcome"),
    "has_unpaid_carer": ("CARER", "Has Unpaid Carer"),
    "hearing_impairment": ("HEARING", "Hearing Impairment"),
    "hours_caring": ("CAREHOURS", "Total Hrs Caring per week"),
    "method": ("METHOD", "Method of Assessment"),
    "outcomes_achieved": ("ACHIEVED", "Review Outcomes Achieved"),
    "primary_support_reason": ("PSR", "Primary Support Reason"),
    "review_reason": ("REVREASON", "Review Reason"),
    "route_of_access": ("ROUTE", "Request: Route of Access"),
    "service_type": ("SERVTYPE", "Service Type"),
    "visual_impairment": ("VISUAL", "Visual Impairment"),
}


def code_map(name: str) -> dict[str, str]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8") as handle:
        return {row["raw"]: row["clean"] for row in csv.DictReader(handle)}


@pytest.mark.parametrize("name", sorted(SETS))
def test_every_national_wording_survives_the_way_through_the_suppliers_code(name: str) -> None:
    code_set, national = SETS[name]
    mapped = code_map(name)
    for wording in codes("cld_r2", national):
        assert mapped[code(code_set, wording)] == wording
        retired = retired_code(code_set, wording)
        assert retired is None or mapped[retired] == wording
    assert set(mapped.values()) <= {*codes("cld_r2", national), ""}


def test_only_a_cancellation_is_an_outcome_without_national_wording() -> None:
    assert [raw for raw, clean in code_map("event_outcome").items() if not clean] == ["CANC"]


def test_ethnic_origins_lead_to_the_national_letters() -> None:
    letters = codes("nhs_data_dictionary", "Ethnic category")
    mapped = code_map("ethnicity")
    assert {mapped[code("ETHNIC", letter)] for letter in letters} == set(letters)
    assert set(mapped.values()) == set(letters)


def test_an_element_code_says_what_is_bought_and_how_it_is_paid_for() -> None:
    components, mechanisms = code_map("service_component"), code_map("delivery_mechanism")
    for component in codes("cld_r2", "Service Component"):
        assert components[element_code(component, "")] == component
        for mechanism in codes("cld_r2", "Delivery Mechanism"):
            both = element_code(component, mechanism)
            assert (components[both], mechanisms[both]) == (component, mechanism)


def test_services_of_carer_types_belong_to_carers() -> None:
    types, clients = code_map("service_type"), code_map("service_client_type")
    assert types.keys() == clients.keys()
    for raw, client in clients.items():
        assert client == ("Unpaid carer" if types[raw].startswith("Unpaid carer") else "Service user")


def test_no_code_has_two_meanings_and_retired_codes_are_described_nowhere() -> None:
    described = [(code_set, value) for code_set, value, _ in described_codes()]
    assert len(described) == len(set(described))
    assert ("OUTCOME", "REAS") not in described and retired_code("METHOD", "Service user and unpaid carer") == "JOIN"


def test_the_specifications_name_every_column_of_the_dump_in_its_order() -> None:
    specs = table_specs("carefirst")
    assert {name.removeprefix("CF_"): tuple(c.name for c in spec.columns) for name, spec in specs.items()} == COLUMNS
