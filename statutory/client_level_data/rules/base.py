"""What a rule is: a sentence, why it matters, what to do, the check, and one example that passes and one that fails.

A rule names the rows it fails by their reference and never repeats a value of a person. The test run executes every
example.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal

from statutory.client_level_data.return_file import FileFacts, ReturnFile, file_from_rows
from statutory.client_level_data.specification import load_specification

if TYPE_CHECKING:
    import pandas as pd

Level = Literal["error", "warning", "info"]
Row = Mapping[str, str]

EXAMPLE_FACTS = FileFacts(
    la_code="990",
    period_start=date(2025, 4, 1),
    period_end=date(2026, 3, 31),
    extract_date=date(2026, 4, 3),
    allow_test_numbers=True,
)


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """Whether the file breaks the rule, the references of the rows that do, and figures worth showing."""

    failed: bool
    references: tuple[str, ...] = ()
    figures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Example:
    """A few rows (headings not given are blank) and the references that must fail; rows of the last file if needed."""

    rows: Sequence[Row]
    previous: Sequence[Row] | None = None
    fails: tuple[str, ...] = ()

    def file(self) -> ReturnFile:
        """The example as a file."""
        headings = load_specification().headings
        file = file_from_rows(self.rows, headings, EXAMPLE_FACTS)
        if self.previous is not None:
            file.previous = file_from_rows(self.previous, headings, EXAMPLE_FACTS)
        return file


@dataclass(frozen=True, slots=True)
class Rule:
    """One check of the file."""

    code: str
    level: Level
    text: str
    why: str
    remedy: str
    check: Callable[[ReturnFile], RuleOutcome]
    passing: Example
    failing: Example


def failing(file: ReturnFile, rows: pd.Series[bool], figures: Mapping[str, str] | None = None) -> RuleOutcome:
    """The outcome for a rule that is broken by the marked rows."""
    references = tuple(file.references()[rows].tolist()) if bool(rows.any()) else ()
    return RuleOutcome(bool(references), references, figures or {})


def percent(part: float, whole: float) -> str:
    """A share as text with one decimal; a dash when there is nothing to share."""
    return f"{100 * part / whole:.1f} %" if whole else "–"
