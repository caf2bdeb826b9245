"""Questions about columns in the ledger: what people are asked when a layout drifted, and what they answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.base import DeliveryProblem
from connectors.drift import ColumnQuestion, shown
from connectors.likeness import Suggestion

if TYPE_CHECKING:
    from sqlalchemy import Connection


def note_questions(connection: Connection, source: str, delivery: str, problem: DeliveryProblem) -> None:
    """Write down what a held delivery asks; asked again, it is the same question."""
    for asked in problem.suggestions if isinstance(problem, ColumnQuestion) else ():
        connection.exec_driver_sql(
            """insert into ledger.column_question
                 (source, supplier_table, heading, column_name, evidence, read_as, delivery_name)
               values (%(source)s, %(table)s, %(heading)s, %(column)s, %(evidence)s, %(read_as)s, %(delivery)s)
               on conflict (source, supplier_table, heading, column_name) do update set
                 evidence = excluded.evidence, read_as = excluded.read_as, delivery_name = excluded.delivery_name,
                 status = 'open', decided_at = null, decided_by = ''""",
            {
                "source": source,
                "table": asked.table,
                "heading": asked.heading if asked.heading == asked.column else shown(asked.heading),
                "column": asked.column,
                "evidence": asked.evidence,
                "read_as": asked.read_as,
                "delivery": delivery,
            },
        )


def open_questions(connection: Connection, source: str | None = None) -> list[Suggestion]:
    """What people are still asked, about one source or all of them."""
    rows = connection.exec_driver_sql(
        """select source, supplier_table, heading, column_name, evidence, read_as from ledger.column_question
            where status = 'open' and (%(source)s::text is null or source = %(source)s)
            order by source, supplier_table, column_name, heading""",
        {"source": source},
    )
    return [
        Suggestion(s, table, heading, column, 0.0, words, style) for s, table, heading, column, words, style in rows
    ]


def answer(connection: Connection, source: str, table: str, dataset: str, heading: str, column: str, by: str) -> int:
    """Note that a person accepted; deliveries refused for want of a column are tried again. Returns how many are."""
    connection.exec_driver_sql(
        """update ledger.column_question set status = 'accepted', decided_at = clock_timestamp(), decided_by = %(by)s
            where source = %(source)s and supplier_table = %(table)s and column_name = %(column)s""",
        {"source": source, "table": table, "column": column, "by": by},
    )
    connection.exec_driver_sql(
        """update ledger.unknown_column set status = 'mapped'
            where source = %(source)s and dataset = %(dataset)s and column_name = %(heading)s""",
        {"source": source, "dataset": dataset, "heading": heading},
    )
    return connection.exec_driver_sql(
        """update ledger.delivery set state = 'held', code = 'MAPPED', message = 'decided; it is tried again'
            where source = %(source)s and state = 'refused' and code = 'MISSING_COLUMN'""",
        {"source": source},
    ).rowcount
