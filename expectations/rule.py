"""What a rule is: a page a non-programmer can read, with the SQL condition that finds the rows breaking it.

A rule says what it asks, why it matters and how to mend a row; a suite says to which fields it applies. The condition
is SQL over the staged table, so that values never leave the database. Names come from reviewed files and are checked
against an allow-list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from governance.sql import among, identifier

Severity = Literal["hold", "warn", "info"]
Retry = Literal["never", "parent", "mapping"]  # what may have changed, so that a held row is worth trying again

_MISSING_IDS = "('', '-1', '''-1''', '0', 'NULL', 'N/A')"  # the same list as landing.id_or_null


class RuleError(ValueError):
    """A suite uses a rule in a way the rule does not understand: names the rule and what it needs."""


@dataclass(frozen=True, slots=True)
class Use:
    """One rule as one suite applies it: to which fields, with which options. `alias` names its look-ups."""

    rule: str
    alias: str = "use"
    fields: tuple[str, ...] = ()
    options: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    severity: Severity | None = None

    def option(self, name: str) -> str:
        """The option `name`; raises `RuleError` when the suite does not give it."""
        value = self.options.get(name)
        if not isinstance(value, str) or not value:
            raise RuleError(f"{self.rule} needs the option {name!r}")
        return value

    def names(self, count: int | None = None) -> tuple[str, ...]:
        """The fields, checked; raises `RuleError` when there are none or not `count` of them."""
        if not self.fields or (count is not None and len(self.fields) != count):
            raise RuleError(f"{self.rule} needs {count or 'at least one'} field(s), the suite gives {len(self.fields)}")
        return tuple(identifier(name) for name in self.fields)


@dataclass(frozen=True, slots=True)
class Place:
    """Where rules are evaluated: the table, the moment of the delivery, and what else of it has been checked before."""

    dataset: str
    key: tuple[str, ...]
    fields: tuple[str, ...]
    as_known_at: datetime
    staged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # dataset -> staging tables checked before
    few: str | None = None  # the staging table, when its rows are so few that looking each up is the shorter way

    def only_named(self, key: str) -> str:
        """SQL to add to a look-up in a landing table: only rows that the staged rows name by `key`; "" for many."""
        if self.few is None:
            return ""
        named = f"select {key} from staging.{identifier(self.few)} where disposition is null"
        return " and " + among("row_key", named)

    @property
    def supplier(self) -> str:
        return self.dataset.split("__")[0]

    @property
    def day(self) -> str:
        """The day of the delivery as YYYYMMDD."""
        return self.as_known_at.strftime("%Y%m%d")


@dataclass(frozen=True, slots=True)
class Lookup:
    """A list to look a row up in: `query` yields distinct `key`; the row is found when one equals `on`.

    What else it yields (`shows`) a condition finds as columns `<alias>_<name>`.
    """

    alias: str
    query: str
    on: str
    shows: tuple[str, ...] = ()

    @property
    def found(self) -> str:
        """The yes-no column by which a condition asks for the answer."""
        return f"{self.alias}_found"


@dataclass(frozen=True, slots=True)
class Condition:
    """True for a row that breaks the rule; null counts as not broken."""

    breaks: str
    lookups: tuple[Lookup, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A row the rule must judge as said; executed by the tests against a real database."""

    row: Mapping[str, str | None]
    breaks: bool
    fields: tuple[str, ...]
    options: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    known: tuple[tuple[str, str, str], ...] = ()  # what landing knows: (dataset, key, fields) or ("code", set, raw)


@dataclass(frozen=True, slots=True)
class Rule:
    code: str
    text: str  # what must be true of a row
    severity: Severity
    why: str
    remedy: str
    affects: str  # which figures or uses suffer
    condition: Callable[[Use, Place], Condition]
    examples: tuple[Example, ...]
    retry: Retry = "never"
    on_removed: bool = False  # whether it also judges tombstones, which carry nearly nothing but their key


def present(name: str) -> str:
    """SQL: the field holds something that is not one of the suppliers' ways of writing nothing."""
    return f"(upper(btrim(coalesce({name}, ''))) not in {_MISSING_IDS})"


def filled(name: str) -> str:
    """SQL: the field holds any text at all."""
    return f"(btrim(coalesce({name}, '')) <> '')"


def any_of(parts: Sequence[str]) -> str:
    """SQL: at least one of the conditions is true."""
    return "(" + " or ".join(f"coalesce({part}, false)" for part in parts) + ")"


def literal(value: str) -> str:
    """A reviewed setting of a suite as an SQL text."""
    if "\\" in value or not value.isprintable():
        raise RuleError(f"the setting {value!r} holds a character a rule may not carry")
    return "'" + value.replace("'", "''") + "'"
