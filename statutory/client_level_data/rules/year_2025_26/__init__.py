"""The rules in force for periods that end in 2025-26, in the order of their codes.

A later year makes its own list from this one: take it, leave rules out, add rules.
"""

from statutory.client_level_data.rules.base import Rule
from statutory.client_level_data.rules.year_2025_26 import (
    v01_end_before_start,
    v02_event_ended_outside_period,
    v03_service_outside_period,
    v04_date_in_the_future,
    v05_death_contradicts_events,
    v06_age_not_plausible,
    v07_person_contradicts_themselves,
    v08_number_on_two_people,
    v09_nhs_number_missing,
    v10_same_event_twice,
    v11_characteristics_conflict,
    v12_delivery_mechanism,
    v13_component_contradicts_service,
    v14_carer_and_service_user_mixed,
    v15_linked_adult_not_in_file,
    v16_costs_contradict,
    v17_all_start_in_april,
    v18_open_service_vanished,
    v19_period_shorter_than_stated,
    v20_text_that_is_not_a_value,
    v21_outcome_does_not_conclude,
    v22_counts_moved,
    v23_excluded_event,
    v24_two_releases_mixed,
)

RULES: tuple[Rule, ...] = (
    v01_end_before_start.RULE,
    v02_event_ended_outside_period.RULE,
    v03_service_outside_period.RULE,
    v04_date_in_the_future.RULE,
    v05_death_contradicts_events.RULE,
    v06_age_not_plausible.RULE,
    v07_person_contradicts_themselves.RULE,
    v08_number_on_two_people.RULE,
    v09_nhs_number_missing.RULE,
    v10_same_event_twice.RULE,
    v11_characteristics_conflict.RULE,
    v12_delivery_mechanism.RULE,
    v13_component_contradicts_service.RULE,
    v14_carer_and_service_user_mixed.RULE,
    v15_linked_adult_not_in_file.RULE,
    v16_costs_contradict.RULE,
    v17_all_start_in_april.RULE,
    v18_open_service_vanished.RULE,
    v19_period_shorter_than_stated.RULE,
    v20_text_that_is_not_a_value.RULE,
    v21_outcome_does_not_conclude.RULE,
    v22_counts_moved.RULE,
    v23_excluded_event.RULE,
    v24_two_releases_mixed.RULE,
)
