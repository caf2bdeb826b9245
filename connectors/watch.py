"""Watches the values of a table while it is written: a mandatory column that suddenly holds something else is held.

Looks at the first rows of the first batches only: a retyped column is retyped from its first row. A person accepts the
new shape, and where the values are dates of another style they are then read by it and written in the declared one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.drift import ColumnQuestion
from connectors.likeness import Suggestion
from connectors.mapping import decisions_in_force
from connectors.shapes import shapes_of, style_of, words_for
from connectors.spec import TableSpec
from domain.run import Finding

#: A column is retyped when more than this share of the values looked at, at least so many, do not have its shape.
SHARE, LEAST = 0.5, 20
_ROWS, _BATCHES = 400, 5


@dataclass(slots=True)
class Watch:
    """The shapes of one table's mandatory columns, and some of the values met."""

    spec: TableSpec
    batches: int = 0
    values: dict[str, list[str | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shapes, accepted = shapes_of(self.spec.dataset.split("__")[0]), self._accepted()
        watched = [c for c in self.spec.columns if c.required and c.tag in shapes and c.name not in accepted]
        self.values = {c.field: [] for c in watched}

    def look(self, columns: dict[str, Any]) -> None:
        """Take note of some values of a batch: field -> values."""
        if self.batches < _BATCHES:
            self.batches += 1
            for name, seen in self.values.items():
                if name in columns:
                    seen += _plain(columns[name][:_ROWS])

    def as_declared(self, columns: dict[str, Any]) -> dict[str, Any]:
        """The batch with values of an accepted new date style written in the declared one."""
        accepted = self._accepted()
        changed = {}
        for column in self.spec.columns:
            style = accepted.get(column.name)
            shape = shapes_of(self.spec.dataset.split("__")[0]).get(column.tag)
            if style and shape and column.field in columns:
                changed[column.field] = [shape.rewritten(value, style) for value in _plain(columns[column.field])]
        return columns | changed

    def conclude(self) -> None:
        """Raises `ColumnQuestion` (held) when a mandatory column does not hold what it is declared to hold."""
        asked = tuple(s for c in self.spec.columns if c.field in self.values for s in self._question(c.name, c.field))
        if asked:
            told = "; ".join(f"{s.column}: {s.evidence}" for s in asked)
            finding = Finding(
                "COLUMN_RETYPED",
                f"{self.spec.table}: {told}",
                "ask the supplier; if it is meant so, `onestory drift suggest` shows the command that accepts it",
            )
            raise ColumnQuestion(finding, asked)

    def _question(self, column: str, name: str) -> list[Suggestion]:
        tag = next(c.tag for c in self.spec.columns if c.name == column)
        shape, seen = shapes_of(self.spec.dataset.split("__")[0])[tag], self.values[name]
        filled = sum(1 for value in seen if value and value.strip())
        share = shape.share(seen)
        if share is None or filled < LEAST or 1 - share <= SHARE:
            return []
        evidence = (
            f"{round(filled * (1 - share))} of {filled} values looked at are not {shape.words}, but {words_for(seen)}"
        )
        source = decisions_in_force().source or self.spec.dataset.split("__")[0]
        style = style_of(seen) if shape.style else ""
        return [Suggestion(source, self.spec.table, column, column, 1 - share, evidence, style)]

    def _accepted(self) -> dict[str, str]:
        return decisions_in_force().new_shape(self.spec.table)


def _plain(values: Any) -> list[str | None]:
    return values.to_pylist() if hasattr(values, "to_pylist") else list(values)
