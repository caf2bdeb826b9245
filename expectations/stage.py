"""Front door of checking: is what was landed good enough, and who should mend what is not?

Purpose: nothing wrong goes on, and nothing is dropped. Takes: landed tables. Produces: `landing.*`, held rows in
quarantine, row accounts, rule results and verdicts. When it goes wrong: a table with too many held rows holds its whole
delivery and the deltas after it; a killed run leaves nothing of its delivery and is simply run again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domain.run import Finding, RunContext, RunResult, RunState, Verdict
from expectations import staging
from expectations.delivery import CheckedDelivery, Delivery, DeliveryCheck, apply, drop_staging, write_verdicts
from expectations.replay import retry
from expectations.runner import Runner
from governance.history import RowCounts
from governance.ledger import Lease, recorded
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

STAGE = "check"
_FATES = ("inserted", "updated", "unchanged", "duplicate", "superseded", "quarantined", "excluded_by_policy")


def run(context: RunContext) -> RunResult:
    """Check every delivery of `context.source` that was landed, in the supplier's order, and apply what is good.

    Returns counts `deliveries`, `tables`, `rows`, one per fate of a row, `closed_by_absence`, `released` (rows that
    left quarantine) and `held_deliveries`. State `held` when a delivery waits for somebody. The setting
    `accept_deliveries` (numbers, with commas) lets held deliveries pass, on the authority of the context's actor.
    """
    return recorded(STAGE, "loader", context, lambda store, lease: _check(context, store, lease))


@dataclass(slots=True)
class _Progress:
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    blocked_by: str | None = None

    def add(self, checked: CheckedDelivery, counted: list[RowCounts]) -> None:
        self.counts["deliveries"] += 1
        self.counts["tables"] += len(checked.tables)
        self.counts["rows"] += sum(table.landed.records for table in checked.tables)
        for counts in counted:
            self.counts.update({fate: getattr(counts, fate) for fate in _FATES})
            self.counts["closed_by_absence"] += counts.closed_by_absence


def _check(context: RunContext, store: Store, _: Lease) -> RunResult:
    source, progress = context.source or "", _Progress()
    scratch_engine = store.engine("loader").execution_options(isolation_level="AUTOCOMMIT")
    with Runner(store.url("loader")) as runner, store.loading("loader"), scratch_engine.connect() as scratch:
        scratch.exec_driver_sql(staging.SETTINGS)
        for delivery in _waiting(scratch, source):
            if progress.blocked_by and delivery.mode == "delta":
                _wait(store, delivery, progress)
            else:
                check = DeliveryCheck(context, store, runner, scratch, delivery)
                _check_one(context, store, check, delivery, progress)
        progress.counts["released"] = retry(context, store).released
    with store.connect("loader") as connection:
        moment = connection.exec_driver_sql(
            """select max(as_known_at) from ledger.delivery
                where source = %(source)s and state in ('checked', 'conformed')""",
            {"source": source},
        ).scalar_one()
    state = RunState.HELD if progress.counts["held_deliveries"] else RunState.DONE
    return RunResult(STAGE, source, state, dict(progress.counts), tuple(progress.findings), moment)


def _waiting(connection: Connection, source: str) -> list[Delivery]:
    # What this stage held is looked at again: the mapping or the suite may have been mended, or a person accepts it.
    rows = connection.exec_driver_sql(
        """select delivery_id, name, mode, as_known_at from ledger.delivery where source = %(source)s
             and (state = 'landed' or (state = 'held' and starts_with(code, 'CHECK-')))
            order by as_known_at, delivery_id""",
        {"source": source},
    )
    return [Delivery(*row) for row in rows]


def _check_one(
    context: RunContext, store: Store, check: DeliveryCheck, delivery: Delivery, progress: _Progress
) -> None:
    checked = check.run()
    progress.findings += checked.findings
    with store.connect("loader") as connection:
        connection.exec_driver_sql(staging.SETTINGS)
        write_verdicts(connection, checked)
        if checked.verdict in (Verdict.HELD, Verdict.REFUSED):
            worst = next(t.verdict.finding for t in checked.tables if t.verdict.verdict is checked.verdict)
            _set_state(connection, delivery, "held", worst)
            progress.counts["held_deliveries"] += 1
            progress.blocked_by = delivery.name
        else:
            progress.add(checked, apply(connection, context, delivery, checked))
            _set_state(connection, delivery, "checked", None)
            if delivery.mode != "delta":
                progress.blocked_by = None  # a full extract needs nothing that came before it
        drop_staging(connection, checked)


def _wait(store: Store, delivery: Delivery, progress: _Progress) -> None:
    finding = Finding(
        "CHECK-WAITS",
        f"delivery {delivery.name} waits for {progress.blocked_by}, which is held",
        "decide on the held delivery; this one follows by itself",
    )
    progress.findings.append(finding)
    progress.counts["held_deliveries"] += 1
    with store.connect("loader") as connection:
        _set_state(connection, delivery, "held", finding)


def _set_state(connection: Connection, delivery: Delivery, state: str, finding: Finding | None) -> None:
    connection.exec_driver_sql(
        """update ledger.delivery set state = %(state)s, code = %(code)s, message = %(message)s
            where delivery_id = %(id)s""",
        {
            "state": state,
            "code": finding.code if finding else "",
            "message": f"{finding.message}; {finding.remedy}" if finding else "",
            "id": delivery.delivery_id,
        },
    )
