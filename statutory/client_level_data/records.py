"""The care records a return is made from, as tables in memory with days as days and blanks as one kind of blank.

`stage.py` fills them from one pinned release; tests fill them by hand. Nothing below this module touches the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_EVENT = (
    "source", "event_key", "person_id", "client_type", "start_date", "end_date", "status",
    "primary_support_reason", "primary_support_reason_raw", "outcomes", "outcomes_raw", "description",
)  # fmt: skip
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "request": (*_EVENT, "route_of_access", "route_of_access_raw"),
    "assessment": (*_EVENT, "assessment_type", "assessment_type_raw", "eligible_needs", "method", "method_raw"),
    "review": (*_EVENT, "review_reason", "review_reason_raw", "outcomes_achieved", "method", "method_raw"),
    "service": (
        *_EVENT, "service_type", "service_type_raw", "service_component", "service_component_raw",
        "delivery_mechanism", "delivery_mechanism_raw", "provider_name", "cqc_location_id",
        "unit_cost", "unit_cost_raw", "cost_frequency", "planned_units",
    ),
    "characteristic": ("source", "event_key", "person_id", "kind", "value", "valid_from", "valid_to"),
    "caring": ("source", "event_key", "person_id", "cared_for_person_id", "valid_from", "valid_to"),
    "person": (
        "person_id", "nhs_number", "nhs_number_verified", "forename", "surname", "birth_date", "death_date", "sex",
        "ethnicity_code", "postcode", "gp_practice_code",
    ),
}  # fmt: skip
EVENT_TABLES: Mapping[str, str] = {
    "Request": "request",
    "Assessment": "assessment",
    "Service": "service",
    "Review": "review",
}
_DAYS = {"start_date", "end_date", "valid_from", "valid_to", "birth_date", "death_date"}
_NUMBERS = {"unit_cost", "planned_units"}
_AS_THEY_ARE = {"outcomes", "nhs_number_verified"}


@dataclass(frozen=True, slots=True)
class Period:
    """The reporting period; both days belong to it."""

    start: date
    end: date

    @property
    def is_twelve_months(self) -> bool:
        """Whether it runs from the first day of a month to the last day of the twelfth (returns 2.2)."""
        from domain.periods import twelve_months_ending

        return twelve_months_ending(self.end) == (self.start, self.end) and _is_last_of_month(self.end)


@dataclass(frozen=True, slots=True)
class CareRecords:
    """Tables as `tidy` leaves them: text blank as the empty text, days as days, one row per event or fact."""

    request: pd.DataFrame
    assessment: pd.DataFrame
    review: pd.DataFrame
    service: pd.DataFrame
    characteristic: pd.DataFrame
    caring: pd.DataFrame
    person: pd.DataFrame

    def events(self, event_type: str) -> pd.DataFrame:
        """The table of one event type by its name in the return."""
        table: pd.DataFrame = getattr(self, EVENT_TABLES[event_type])
        return table


def care_records(tables: Mapping[str, pd.DataFrame]) -> CareRecords:
    """Tidy raw tables; a table not given is empty. Raises `KeyError` naming a column that is missing."""
    import pandas as pd

    return CareRecords(
        **{
            name: _tidy(tables.get(name, pd.DataFrame(columns=list(columns))), name, columns)
            for name, columns in COLUMNS.items()
        }
    )


def _tidy(raw: pd.DataFrame, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    missing = [column for column in columns if column not in raw.columns]
    if missing:
        raise KeyError(f"{name}: the columns {', '.join(missing)} are missing")
    tidy = {}
    for column in columns:
        values = raw[column].reset_index(drop=True)
        if column in _DAYS:
            tidy[column] = pd.to_datetime(values, errors="coerce").astype("datetime64[s]")
        elif column in _NUMBERS:
            tidy[column] = pd.to_numeric(values, errors="coerce")
        elif column in _AS_THEY_ARE:
            tidy[column] = values
        else:
            tidy[column] = values.astype("object").where(values.notna(), "").astype(str).astype("object")
    order = ["person_id"] if name == "person" else ["source", "event_key"]
    return pd.DataFrame(tidy).sort_values(order, kind="stable", ignore_index=True)


def _is_last_of_month(day: date) -> bool:
    return date.fromordinal(day.toordinal() + 1).day == 1
