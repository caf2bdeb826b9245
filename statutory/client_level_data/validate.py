"""Checks a file as it will be sent: the national field results first, then the rules of the year.

What comes back names rows by reference and counts values; only the report decides what may be shown (it masks).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from statutory.client_level_data.field_checks import FieldResult, check_fields
from statutory.client_level_data.return_file import ReturnFile
from statutory.client_level_data.rules.base import Rule, RuleOutcome
from statutory.client_level_data.rules.registry import rules_for
from statutory.client_level_data.specification import Specification

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Validation:
    """All results for one file."""

    fields: tuple[FieldResult, ...]
    rules: tuple[tuple[Rule, RuleOutcome], ...]
    failures: pd.DataFrame  # check (a rule or a field), code, level, reference: one line per failing row

    @property
    def errors(self) -> int:
        """Failing fields and rows at level error; a file-wide error counts once."""
        return int((self.failures["level"] == "error").sum())

    @property
    def warnings(self) -> int:
        return int((self.failures["level"] == "warning").sum())

    def outcome(self, code: str) -> RuleOutcome:
        """The outcome of one rule by its code."""
        return next(outcome for rule, outcome in self.rules if rule.code == code)


def validate(file: ReturnFile, specification: Specification) -> Validation:
    """Run every field check and every rule of the year over the file."""
    fields = tuple(check_fields(file, specification))
    rules = tuple((rule, rule.check(file)) for rule in rules_for(specification.rules_year))
    return Validation(fields, rules, _failures(file, fields, rules))


def _failures(
    file: ReturnFile, fields: tuple[FieldResult, ...], rules: tuple[tuple[Rule, RuleOutcome], ...]
) -> pd.DataFrame:
    import pandas as pd

    references = file.references()
    parts = [pd.DataFrame({"check": [], "code": [], "level": [], "reference": []}, dtype="object")]
    for result in fields:
        if result.failed.any():
            rows = references[result.failed]
            codes = [str(code) for code in result.check[result.failed]]
            parts.append(_part(result.entry.heading, codes, "error", rows.tolist()))
    for rule, outcome in rules:
        if outcome.failed:
            named = list(outcome.references) or ["whole file"]
            parts.append(_part(rule.code, [rule.code] * len(named), rule.level, named))
    return pd.concat(parts, ignore_index=True)


def _part(check: str, codes: list[str], level: str, references: list[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({"check": check, "code": codes, "level": level, "reference": references}, dtype="object")
