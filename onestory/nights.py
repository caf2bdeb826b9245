"""A council's nights: the suppliers deliver, the DAGs carry what came, and somebody on duty answers what is held.

Linking and building follow the assets as under the scheduler: they run once every source has checked data since the
last time. In a council with file faults a night may leave a source held; its data follow when the fault is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from connectors.synthetic.setting import load_setting
from connectors.synthetic.settings import SyntheticSettings
from onestory.home import Home

if TYPE_CHECKING:
    from rich.progress import Progress

_START = time(5, 30)  # when the nightly DAGs begin


def deliver(home: Home, night: int, databases: Mapping[str, str] | None = None) -> None:
    """Let the suppliers do their night's work: files into the inboxes, databases rebuilt, traces answered.

    `databases` are other addresses of the simulated databases than the home's own, by system.
    """
    from connectors.synthetic.doors import deliver_night
    from connectors.synthetic.tracing_service import answer_all

    answer_all(home.folder / "supply", home.folder / "exchange" / "nhs_number_trace")
    addresses = {**home.supplier_databases, **(databases or {})}
    deliver_night(load_setting(home.setting), home.folder / "supply", night, home.inbox, addresses)


def carry_nights(home: Home, settings: SyntheticSettings, progress: Progress | None = None) -> None:
    """Carry every night through Airflow, and prepare the return when the last one is published.

    Raises `dags.nightly.DagFailed` when a DAG fails that no injected fault explains.
    """
    from dags import nightly

    round_ = _Round(home, settings, nightly, progress)
    for night in range(settings.nights + 1):
        round_.carry(night)
    round_.finish()


class _Round:
    """The nights of one council, one after the other."""

    def __init__(self, home: Home, settings: SyntheticSettings, nightly: Any, progress: Progress | None) -> None:
        self._home, self._settings, self._nightly, self._progress = home, settings, nightly, progress
        self._before, self._ingest = nightly.before_ingest(home.profile()), nightly.ingest_of(home.profile())
        self._checked: set[str] = set()  # sources whose asset was updated since the last linking
        total = (settings.nights + 1) * (len(self._before) + len(self._ingest) + 3)
        self._bar = progress.add_task("carrying the nights", total=total) if progress else None

    def carry(self, night: int) -> None:
        """One night: delivery, every source, and linking and building when every source is checked."""
        self._tell(night, "suppliers deliver")
        deliver(self._home, night)
        for dag_id in self._before:
            self._tell(night, dag_id)
            self._nightly.carry(dag_id, self._moment(night))
        for dag_id in self._ingest:
            self._tell(night, dag_id)
            if self._ingested(dag_id, night):
                self._checked.add(dag_id)
        for dag_id in self._nightly.TOGETHER:
            self._tell(night, dag_id)
            if self._checked == set(self._ingest):
                self._nightly.carry(dag_id, self._moment(night))
        if self._checked == set(self._ingest):
            self._checked.clear()

    def finish(self) -> None:
        """The return, for the period the last night completes."""
        last = self._settings.nights
        self._tell(last, self._nightly.RETURN)
        self._nightly.carry(self._nightly.RETURN, self._moment(last))
        if self._progress and self._bar is not None:
            self._progress.update(self._bar, description="every night carried", completed=1, total=1)

    def _ingested(self, dag_id: str, night: int) -> bool:
        """Whether the source is checked; what a person on duty can answer at once is answered and tried again."""
        from onestory.drift import accept_suggestions
        from onestory.summary import last_state

        try:
            self._nightly.carry(dag_id, self._moment(night))
        except self._nightly.DagFailed:
            source = dag_id.removeprefix("ingest_")
            if not self._settings.kind.has_file_faults or last_state(self._home.profile(), source) == "stopped":
                raise
            if not accept_suggestions(
                self._home.profile(), source, by="rehearsal", reason="a renamed column, looked at"
            ):
                return False
            return self._ingested(dag_id, night)
        return True

    def _moment(self, night: int) -> datetime:
        return datetime.combine(self._settings.first_night + timedelta(days=night), _START, UTC)

    def _tell(self, night: int, what: str) -> None:
        if self._progress and self._bar is not None:
            nights = self._settings.nights + 1
            self._progress.update(self._bar, description=f"night {night + 1} of {nights}: {what}", advance=1)
