"""The one outcome to send: the lowest rank of those recorded, or the default of the hand-book when none was (2.3).

An outcome that was recorded but could not be mapped is not replaced by a default: the field stays blank and fails its
check, so that the mapping gets mended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from domain.codes import codes
from statutory.client_level_data.records import Period

if TYPE_CHECKING:
    import pandas as pd

_NOT_RANKED = 99


def lowest_ranked(outcomes: pd.Series[Any]) -> pd.Series[str]:
    """Of each row's list of outcomes the one with the lowest rank number; blank when the list is empty."""
    ranks = {name: int(rank) for name, rank in codes("cld_groups", "outcome rank R2").items()}
    each = outcomes.explode().dropna()
    ordered = each.to_frame("outcome").assign(rank=each.map(ranks).fillna(_NOT_RANKED))
    ordered = ordered.rename_axis("row").reset_index().sort_values(["row", "rank", "outcome"], kind="stable")
    first = ordered.drop_duplicates("row").set_index("row")["outcome"]
    result: pd.Series[str] = first.reindex(outcomes.index).fillna("").astype("object")
    return result


def event_outcomes(
    event_type: str, events: pd.DataFrame, services: pd.DataFrame, period: Period, defaults: Mapping[str, Any]
) -> pd.Series[str]:
    """The outcome of each event, with the defaults for services still open and for reviews."""
    outcome = lowest_ranked(events["outcomes"])
    nothing_recorded = (outcome == "") & (events["outcomes_raw"].str.strip() == "")
    if event_type == "Service":
        still_open = events["end_date"].isna() | (events["end_date"] > str(period.end))
        # A reason typed on a service that has not ended is no outcome yet, whether it could be mapped or not.
        return outcome.mask((outcome == "") & still_open, defaults["open_service_outcome"])
    if event_type == "Review":
        changed = _followed_by_a_change(events[nothing_recorded], services, int(defaults["review_change_days"]))
        changed = changed.reindex(events.index, fill_value=False)
        outcome = outcome.mask(nothing_recorded & changed, defaults["review_with_change_outcome"])
        return outcome.mask(nothing_recorded & ~changed, defaults["review_without_change_outcome"])
    return outcome


def _followed_by_a_change(reviews: pd.DataFrame, services: pd.DataFrame, days: int) -> pd.Series[bool]:
    """Whether a service of the person starts or ends on the day of the review's end or within `days` after it."""
    import pandas as pd

    given = services[services["status"] != "cancelled"]
    moments = pd.concat(
        [
            given[["person_id", "start_date"]].set_axis(["person_id", "day"], axis=1),
            given[["person_id", "end_date"]].set_axis(["person_id", "day"], axis=1),
        ]
    )
    pairs = reviews[["person_id", "end_date"]].rename_axis("row").reset_index().merge(moments.dropna(), on="person_id")
    after = (pairs["day"] - pairs["end_date"]).dt.days
    rows = pairs.loc[after.between(0, days), "row"].unique()
    return pd.Series(reviews.index.isin(rows), index=reviews.index)
