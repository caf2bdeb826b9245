"""What each column of an analyst's file means to the engine, and the small YAML file that says so.

Guessed when nobody has said (`guess_roles`), always shown, and written beside the output so that it can be edited and
used again. A column of role `ignore` is never evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from linkage.trial.refusal import Refused

if TYPE_CHECKING:
    import pyarrow as pa


class Role(StrEnum):
    """What a column holds. `other` is any further evidence, compared as equal or not."""

    ID = "id"
    FORENAME = "forename"
    SURNAME = "surname"
    FULL_NAME = "full_name"
    MIDDLE_NAMES = "middle_names"
    KNOWN_AS = "known_as"
    PREVIOUS_SURNAME = "previous_surname"
    BIRTH_DATE = "birth_date"
    BIRTH_YEAR = "birth_year"  # with month and day: put together as one birth date before linking
    BIRTH_MONTH = "birth_month"
    BIRTH_DAY = "birth_day"
    SEX = "sex"
    POSTCODE = "postcode"
    NHS_NUMBER = "nhs_number"
    IDENTIFIER = "identifier"
    HOUSE_NUMBER = "house_number"
    ADDRESS = "address"
    PLACE = "place"
    REGION = "region"
    TELEPHONE = "telephone"
    EMAIL = "email"
    OTHER = "other"
    IGNORE = "ignore"


NO_EVIDENCE = frozenset({Role.ID, Role.IGNORE})


@dataclass(frozen=True, slots=True)
class Roles:
    """Column → role, in the order of the file; several columns may share a role, but only one is the id."""

    columns: tuple[tuple[str, Role], ...]

    def of(self, *roles: Role) -> tuple[str, ...]:
        """The columns that have one of these roles, in the order of the file."""
        return tuple(column for column, role in self.columns if role in roles)

    def role(self, column: str) -> Role:
        """The role of a column; `ignore` when it is not named."""
        return dict(self.columns).get(column, Role.IGNORE)

    @property
    def id_column(self) -> str | None:
        """The column that names each record, if there is one."""
        return next(iter(self.of(Role.ID)), None)

    @property
    def evidence(self) -> tuple[str, ...]:
        """The columns that may speak for or against two records being one person."""
        return tuple(column for column, role in self.columns if role not in NO_EVIDENCE)

    def with_role(self, column: str, role: Role) -> Roles:
        """The same roles, with another for one column."""
        return Roles(tuple((name, role if name == column else old) for name, old in self.columns))


@dataclass(frozen=True, slots=True)
class Guess:
    """Guessed roles and, for every column, one sentence why."""

    roles: Roles
    why: tuple[tuple[str, str], ...]


def guess_roles(table: pa.Table) -> Guess:
    """Guess from headings and content what each column of a table of texts means; the same table, the same guess."""
    from linkage.trial.guessing import guess

    return guess(table)


def read_roles(path: Path, left: Sequence[str], right: Sequence[str] | None) -> tuple[Roles, Roles | None]:
    """Read a roles file for one file (`columns:`) or two (`left:` and `right:`; `columns:` speaks for both).

    Args:
        path: the YAML file.
        left: the headings of the only or left file.
        right: the headings of the right file, or None for a dedupe.

    Raises:
        Refused: when it is no such file, names an unknown role, or a column that the file does not have.
    """
    import yaml

    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise Refused(f"{path.name}{where}: not readable as YAML; each line is '  column: role'.") from None
    if not isinstance(said, dict) or not said.keys() & {"columns", "left", "right"}:
        raise Refused(
            f"{path.name} has no 'columns:' (or 'left:' and 'right:') with one 'column: role' a line below it."
        )
    both = said.get("columns")
    of_left = _one_side(said.get("left", both), left, f"{path.name}, left" if right is not None else path.name)
    if right is None:
        return of_left, None
    return of_left, _one_side(said.get("right", both), right, f"{path.name}, right")


def _one_side(said: object, headings: Sequence[str], where: str) -> Roles:
    if not isinstance(said, Mapping):
        raise Refused(f"{where}: no columns are named; write one 'column: role' a line.")
    wanted = {str(column): str(role) for column, role in said.items()}
    for column, role in wanted.items():
        if column not in headings:
            near = get_close_matches(column, headings, 1)
            hint = f"did you mean '{near[0]}'" if near else f"it has {', '.join(headings)}"
            raise Refused(f"{where}: the file has no column '{column}'; {hint}.")
        if role not in set(Role):
            near = get_close_matches(role, list(Role), 1)
            hint = f"did you mean '{near[0]}'" if near else f"the roles are {', '.join(Role)}"
            raise Refused(f"{where}: '{column}' is given the role '{role}', which does not exist; {hint}.")
    roles = Roles(tuple((column, Role(wanted.get(column, Role.IGNORE))) for column in headings))
    if len(ids := roles.of(Role.ID)) > 1:
        raise Refused(f"{where}: {' and '.join(ids)} are both the id; only one column may be.")
    return roles


def write_roles(path: Path, left: Guess, right: Guess | None) -> None:
    """Write the roles as YAML that `read_roles` reads, with the reasons as comments."""
    lines = [
        "# What each column means to the engine. Edit a role and use the file again with --roles.",
        f"# Roles: {', '.join(Role)}.",
    ]
    for name, side in (("columns", left),) if right is None else (("left", left), ("right", right)):
        reasons = dict(side.why)
        quoted = {column: _quoted(column) for column, _ in side.roles.columns}
        widest = max((len(q) + len(role) for (c, role) in side.roles.columns for q in (quoted[c],)), default=0)
        lines.append(f"{name}:")
        for column, role in side.roles.columns:
            text = f"{quoted[column]}: {role.value}"
            lines.append(f"  {text:<{widest + 2}}  # {reasons.get(column, '')}".rstrip(" #"))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quoted(column: str) -> str:
    import json

    plain = column.replace("_", "").replace(" ", "")
    words = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
    if plain.isalnum() and not plain[0].isdigit() and column.lower() not in words and column == column.strip():
        return column
    return json.dumps(column, ensure_ascii=False)
