"""Name to connector; the only place that lists them."""

from __future__ import annotations

from importlib import import_module

from connectors.base import Connector
from domain.profile import Profile, ProfileError, SourceSettings

SUPPLIERS = ("systmone", "liquidlogic", "controcc", "carefirst", "cross_reference", "micare")


def connector_for(profile: Profile, source: SourceSettings) -> Connector:
    """The connector of one source of a profile. Raises `ProfileError` when no supplier has that name."""
    if source.connector not in SUPPLIERS:
        raise ProfileError(f"{profile.path}: no connector {source.connector!r}; there are {', '.join(SUPPLIERS)}")
    module = import_module(f"connectors.{source.connector}.connector")
    connector: Connector = module.make(profile, source)
    return connector
