"""The only module that imports Great Expectations: it asks for counts and never for values.

Measured: the library's own row-by-row expectations cost about 12 ms a rule and table, most of it preparing lists of
offending values that we must not have. The one expectation below needs 1.5 ms a rule; all rules of a table become one
statement, one pass over the rows. One context, one engine and one asset per table serve a whole run.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any

from domain.run import StageFailure
from expectations.rule import Severity
from expectations.suites import Check

_SEVERITY = {"hold": "critical", "warn": "warning", "info": "info"}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How many rows one rule looked at and how many broke it."""

    code: str
    severity: Severity
    evaluated: int
    failed: int


class Runner:
    """Validates staged tables; use as a context manager, one for a run. The library is loaded at the first use."""

    def __init__(self, url: str) -> None:
        address = url.replace("postgresql://", "postgresql+psycopg://", 1)
        self._url = (
            f"{address}{'&' if '?' in address else '?'}options=-c%20enable_nestloop%3Doff"  # see staging.SETTINGS
        )
        self._source: Any = None
        self._assets: dict[str, Any] = {}

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._source is not None:
            self._source.get_engine().dispose()
            self._source.get_execution_engine().close()

    def validate(self, view: str, checks: Sequence[Check], rows: int) -> tuple[CheckResult, ...]:
        """Evaluate `checks` over `staging.<view>`, which must hold exactly `rows` rows.

        Raises:
            StageFailure: a check could not be evaluated, or rows were lost between landing and staging.
        """
        gx, _, expect_no_row = _library()
        expectations = [
            expect_no_row(
                breaks=c.column, on_removed=c.on_removed, severity=_SEVERITY[c.severity], meta={"rule": c.code}
            )
            for c in checks
        ]
        complete = gx.expectations.ExpectTableRowCountToEqual(value=rows)
        suite = gx.ExpectationSuite(view, expectations=[complete, *expectations])
        report = self._batch(view).validate(suite, result_format=_COUNTS_ONLY)
        by_rule = {r.expectation_config.meta["rule"]: r for r in report.results if r.expectation_config.meta}
        total = next(r for r in report.results if not r.expectation_config.meta)
        if not total.success:
            raise StageFailure(
                f"staging.{view} does not hold the {rows} rows it was given",
                remedy="Run the check stage again.",
                retry_helps=True,
            )
        return tuple(_result(c, by_rule[c.code], view) for c in checks)

    def _batch(self, view: str) -> Any:
        if self._source is None:
            _, context, _ = _library()
            with warnings.catch_warnings():  # it recommends a source that cannot take unix sockets
                warnings.simplefilter("ignore")
                self._source = context.data_sources.add_or_update_sql("staging", connection_string=self._url)
        if view not in self._assets:
            self._assets[view] = self._source.add_table_asset(view, table_name=view, schema_name="staging")
        asset = self._assets[view]
        return asset.get_batch(asset.build_batch_request())  # a batch definition would only be written and read again


_COUNTS_ONLY = {"result_format": "SUMMARY", "partial_unexpected_count": 0}


def _result(check: Check, found: Any, view: str) -> CheckResult:
    counts = found.result
    if "unexpected_count" not in counts:
        # The library's own message may quote a value: name the rule and nothing else.
        raise StageFailure(
            f"the rule {check.code} could not be evaluated on staging.{view}",
            remedy="Look at the rule's condition with a row of its own examples.",
            retry_helps=False,
        )
    return CheckResult(check.code, check.severity, int(counts["element_count"]), int(counts["unexpected_count"]))


@cache
def _library() -> tuple[Any, Any, Any]:
    """The library, a context that writes nothing to disk, and our expectation; loaded once a process."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    quiet = logging.getLogger("great_expectations")
    quiet.setLevel(logging.CRITICAL)  # before the import; at lower levels it logs statements, and errors with values
    quiet.propagate = False
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return gx, context, _expectation()


def _register_counts() -> None:
    """Teach the library two counts; defining the classes registers them."""
    import sqlalchemy as sa
    from great_expectations.core.metric_domain_types import MetricDomainTypes
    from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine
    from great_expectations.expectations.metrics.metric_provider import metric_partial
    from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

    aggregate = metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )

    class RowsBreaking(TableMetricProvider):  # type: ignore[misc]
        metric_name = "table.rows_breaking"
        value_keys = ("breaks",)

        @aggregate  # type: ignore[untyped-decorator]
        def _sqlalchemy(cls, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> Any:
            return sa.func.count().filter(sa.column(metric_value_kwargs["breaks"])), metric_domain_kwargs, {}

    class RowsJudged(TableMetricProvider):  # type: ignore[misc]
        metric_name = "table.rows_judged"
        value_keys = ("on_removed",)

        @aggregate  # type: ignore[untyped-decorator]
        def _sqlalchemy(cls, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> Any:
            judged = sa.true() if metric_value_kwargs["on_removed"] else sa.not_(sa.column("row_is_removed"))
            return sa.func.count().filter(judged), metric_domain_kwargs, {}


def _expectation() -> Any:
    from great_expectations.expectations.expectation import BatchExpectation

    _register_counts()

    class ExpectNoRowToBreakRule(BatchExpectation):  # type: ignore[misc]
        breaks: str
        on_removed: bool
        metric_dependencies = ("table.rows_judged", "table.rows_breaking")
        success_keys = ("breaks", "on_removed")
        args_keys = ("breaks", "on_removed")

        def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
            broken = metrics["table.rows_breaking"]
            counts = {"element_count": metrics["table.rows_judged"], "unexpected_count": broken}
            return {"success": broken == 0, "result": counts}

    return ExpectNoRowToBreakRule
