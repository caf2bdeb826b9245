"""A desk where a batch is spoilt and brought to SystmOne's door."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.base import DeliveryProblem, LandedDelivery, Past
from connectors.systmone.connector import SystmOneConnector
from connectors.systmone.settings import SystmOneSettings
from connectors.systmone.split_archive import ArchiveLimits
from domain.run import RunState
from tests.support.systmone_world import Desk, event, record, world


def small_desk(tmp_path: Path) -> Desk:
    """A desk with a first batch of two patients delivered."""
    desk = Desk(tmp_path)
    desk.write(world([record(1), record(2)], [event(1, "visit"), event(2, "appointment")], nights=2))
    desk.release(0)
    return desk


def door(desk: Desk, limits: ArchiveLimits | None = None) -> SystmOneConnector:
    return SystmOneConnector(SystmOneSettings(desk.inbox, limits=limits or ArchiveLimits()))


def land(desk: Desk, past: Past | None = None, limits: ArchiveLimits | None = None) -> LandedDelivery:
    past = past or Past()
    (batch,) = door(desk, limits).discover(past)
    return batch.land(desk.home / "landing", past)


def refusal(desk: Desk, state: RunState = RunState.REFUSED, **how: ArchiveLimits) -> str:
    """The message with which the only batch is turned away; nothing of it may be in place."""
    with pytest.raises(DeliveryProblem) as problem:
        land(desk, **how)  # type: ignore[arg-type]
    assert problem.value.state is state
    assert problem.value.finding.remedy
    return str(problem.value)


def table(landed: LandedDelivery, name: str) -> list[dict[str, object]]:
    (found,) = [t for t in landed.tables if t.dataset == f"systmone__{name}"]
    return pq.read_table(found.parquet).to_pylist()


def notes(landed: LandedDelivery) -> dict[str, str]:
    return {f.code: f.message for f in (*landed.findings, *(f for t in landed.tables for f in t.findings))}
