"""ContrOCC's door: the finance database, read whole every night through a read-only login.

A second database beside the case system's mart: its clients and lines name the case system's people and services, so
linkage and reports can join both. It is the weakest witness for names and dates of death.
"""

from __future__ import annotations

from typing import Final

from connectors.base import Connector
from connectors.database_options import accepted_in, access_of, connector_of, live_from_in
from connectors.database_snapshot import Habits, Plan
from domain.profile import Profile, SourceSettings

SUPPLIER: Final = "controcc"

HABITS: Final = Habits(
    supplier=SUPPLIER,
    refresh=("TSys_DatabaseRefresh", "RefreshedDate"),
    people=("T_Client", "ClientID"),
    not_read=frozenset({"Notes"}),
)


def make(profile: Profile, source: SourceSettings) -> Connector:
    """The connector of one ContrOCC source of a profile.

    Options of the source: `url` (address with its read-only login, without password), `schema` (default dbo), `owner`
    (who can mend the login), `shrink_accepted` (snapshot names, comma between), `live_from`, `statement_seconds`.

    Raises:
        ProfileError: when an option is missing or cannot be understood.
    """
    return connector_of(
        profile,
        source,
        Plan(
            HABITS,
            access_of(profile, source, schema="dbo", noun="the finance database"),
            accepted=accepted_in(source),
            live_from=live_from_in(profile, source),
        ),
    )
