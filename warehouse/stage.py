"""Front door of the build stage: brings the core tables up to date and publishes them as a numbered release.

One transaction from the first row to the pointer: killed at any moment, the release before stays current and the next
run starts afresh (governance CTL-7, F73).
"""

from __future__ import annotations

from datetime import datetime

from domain.run import Finding, RunContext, RunResult, RunState
from governance.ledger import Lease, recorded
from governance.store import Store
from warehouse import release
from warehouse.build import apply_core, refresh_statistics
from warehouse.cutover.plan import write_replaced_source

_STAGE = "build"
_NOTHING_LINKED = Finding(
    "NOTHING_LINKED", "nothing has been conformed and linked yet", "run the stages before this one"
)


def run(context: RunContext) -> RunResult:
    """Build and publish a release from everything conformed and linked so far.

    Ends `done` without a new release when nothing has changed since the last one, and `held` when a gate fails, another
    build is at work or nothing has been linked yet; the release before then stays current.
    """
    return recorded(_STAGE, "publisher", context, _build)


class _GateFailed(Exception):
    """Leaves the transaction without a trace; carries what to tell the operator."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__(", ".join(finding.code for finding in findings))


def _build(store: Store, lease: Lease) -> RunResult:
    try:
        return _publish(store, lease)
    except _GateFailed as failed:
        return RunResult(_STAGE, "", RunState.HELD, findings=failed.findings)
    except release.LeaseLost:
        lost = Finding("LEASE_LOST", "another build has begun since", "nothing to do: the other build publishes")
        return RunResult(_STAGE, "", RunState.HELD, findings=(lost,))


def _publish(store: Store, lease: Lease) -> RunResult:
    with store.connect("publisher") as connection:
        refresh_statistics(connection, "identity", "payload")
    # Repeatable read: all inputs as of one moment, though a source may be conformed meanwhile. The table lock comes
    # before the first look at data and waits for the server to clear up behind a build that was killed.
    engine = store.engine("publisher").execution_options(isolation_level="REPEATABLE READ")
    with engine.begin() as connection:
        connection.exec_driver_sql("lock table core.current_release in exclusive mode")
        connection.exec_driver_sql("set local timezone to 'UTC'")
        write_replaced_source(connection, store.profile)
        before = release.current_release(connection)
        basis = release.basis_of(connection)
        if before and before.is_built_from(basis):
            return _unchanged(before)
        if basis["as_known_at"] is None or basis["link_run_id"] is None:
            raise _GateFailed((_NOTHING_LINKED,))
        moment = release.moment_after(before, datetime.fromisoformat(basis["as_known_at"]))
        changes = apply_core(connection, moment)
        asked = release.gates(connection)
        if failed := tuple(gate.finding() for gate in asked if not gate.passed):
            raise _GateFailed(failed)
        published = release.publish(connection, moment=moment, basis=basis, passed=asked, lease=lease)
    counts = {
        f"{name}_{fate}": getattr(change, fate)
        for name, change in changes.items()
        for fate in ("inserted", "changed", "ended", "unchanged")
    }
    return RunResult(
        _STAGE,
        "",
        RunState.DONE,
        counts={"release": published.number, **counts},
        as_known_at=published.as_known_at,
        findings=_withheld(asked),
        facts={"release": str(published.number), "digest": published.digest},
    )


def _withheld(asked: tuple[release.Gate, ...]) -> tuple[Finding, ...]:
    withdrawn, former = (
        sum(gate.facts.get(f"events_of_{whose}", 0) for gate in asked)
        for whose in ("withdrawn_records", "former_bearers")
    )
    findings = []
    if withdrawn:
        message = (
            f"{withdrawn} events are withheld: their supplier has withdrawn the record of the person they belong to"
        )
        remedy = "ask the supplier's team to withdraw the events too, or to restore the record"
        findings.append(Finding("WITHHELD", message, remedy))
    if former:
        message = (
            f"{former} events are withheld: they were known under a key before it was given to somebody else, "
            "and nobody in the release is the former bearer"
        )
        remedy = "have the supplier move the work to a record of the person it belongs to, or withdraw it"
        findings.append(Finding("FORMER_BEARERS_WORK", message, remedy))
    return tuple(findings)


def _unchanged(before: release.Release) -> RunResult:
    note = Finding("UNCHANGED", f"nothing has changed since release {before.number}", "")
    return RunResult(
        _STAGE,
        "",
        RunState.DONE,
        counts={"release": before.number},
        findings=(note,),
        as_known_at=before.as_known_at,
        facts={"release": str(before.number), "digest": before.digest},
    )
