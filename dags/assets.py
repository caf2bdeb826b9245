"""The names of the data assets, once. A task that updates one tells the next stage; nothing waits for a clock."""

from __future__ import annotations

import os
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

from airflow.sdk import Asset

CHECKED = {
    source: Asset(f"checked_{source}", uri=f"onestory://checked/{source}")
    for source in ("systmone", "liquidlogic", "controcc", "carefirst", "micare", "cross_reference")
}
LINKED_IDENTITIES = Asset("linked_identities", uri="onestory://linked/identities")
WAREHOUSE_RELEASE = Asset("warehouse_release", uri="onestory://warehouse/release")
CLIENT_LEVEL_DATA = Asset("client_level_data", uri="onestory://returns/client_level_data")


def sources_here() -> tuple[str, ...]:
    """The sources this council has, by its profile; all there are when no profile is set (a bare import)."""
    from domain.profile import load_profile

    address = os.environ.get("ONESTORY_PROFILE")
    if not address:
        return tuple(CHECKED)
    return tuple(source.name for source in load_profile(Path(address)).sources if source.name in CHECKED)


def exchanges_here() -> tuple[str, ...]:
    """The national services this council asks, by its profile; both when no profile is set (a bare import)."""
    from domain.profile import load_profile

    address = os.environ.get("ONESTORY_PROFILE")
    if not address:
        return ("nhs_number_trace", "opt_out_list")
    return tuple(exchange.name for exchange in load_profile(Path(address)).exchanges)


def every_source_checked() -> Any:
    """The condition that every source of this council has checked data since the last time."""
    return reduce(and_, (CHECKED[source] for source in sources_here()))
