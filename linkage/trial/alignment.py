"""Two files made ready for each other: birth dates put together, ids checked, columns of one role paired by heading.

What an analyst has to mend is refused here in one sentence, before any work is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from linkage.trial.guessing import words_of
from linkage.trial.refusal import Refused
from linkage.trial.roles import NO_EVIDENCE, Role, Roles

if TYPE_CHECKING:
    import pyarrow as pa

# Evidence of which no single kind can tell a person: alone, it would join strangers.
_WEAK = frozenset({Role.SEX, Role.REGION, Role.PLACE, Role.OTHER, Role.HOUSE_NUMBER, Role.POSTCODE, Role.ADDRESS})
_NAMES = frozenset(
    {Role.FORENAME, Role.SURNAME, Role.FULL_NAME, Role.MIDDLE_NAMES, Role.KNOWN_AS, Role.PREVIOUS_SURNAME}
)
_BIRTH_WORDS = frozenset(
    {"birth", "born", "naissance", "nacimiento", "geburt", "geburtsort", "nascita", "urodzenia", "pob"}
)


def check_id(table: pa.Table, roles: Roles, name: str) -> None:
    """Refuse an id that does not name each record.

    Raises:
        Refused: when records lack it or share it; the sentence counts them.
    """
    import pyarrow.compute as pc

    if (column := roles.id_column) is None:
        return
    ids = table[column]
    if ids.null_count:
        raise Refused(
            f"{name}: {ids.null_count:,} records have no '{column}', which is to be their id; choose another column "
            "with --id, or give it the role 'ignore' to have the records numbered."
        )
    if again := len(ids) - pc.count_distinct(ids).as_py():
        raise Refused(
            f"{name}: {again:,} records repeat a '{column}' that an earlier one has; an id names one record: choose "
            "another column with --id, or give it the role 'ignore' to have the records numbered."
        )


def numbered(table: pa.Table, roles: Roles) -> tuple[pa.Table, Roles]:
    """The table with the place of each record as its id (1 is the first), when no column is the id."""
    import pyarrow as pa

    if roles.id_column is not None:
        return table, roles
    heading = "row"
    while heading in table.column_names:
        heading += "_"
    table = table.append_column(heading, pa.array([str(n) for n in range(1, table.num_rows + 1)], pa.string()))
    return table, Roles((*roles.columns, (heading, Role.ID)))


def with_birth_date(table: pa.Table, roles: Roles) -> tuple[pa.Table, Roles]:
    """Year, month and day in columns of their own, put together as one birth date."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [roles.of(role) for role in (Role.BIRTH_YEAR, Role.BIRTH_MONTH, Role.BIRTH_DAY)]
    if not all(parts):
        return table, roles
    year, month, day = (table[columns[0]] for columns in parts)
    padded = [pc.utf8_lpad(pc.replace_substring_regex(part, r"\.0$", ""), 2, "0") for part in (month, day)]
    date = pc.binary_join_element_wise(year, *padded, "-")
    heading = "-".join(columns[0] for columns in parts)
    used = {column for columns in parts for column in columns}
    kept = tuple((column, Role.IGNORE if column in used else role) for column, role in roles.columns)
    return table.append_column(heading, date.cast(pa.string())), Roles((*kept, (heading, Role.BIRTH_DATE)))


def check_evidence(left: Roles, right: Roles | None, names: Sequence[str], roles_file: str) -> list[str]:
    """What the file, or both files, can be linked on; a warning when it is little.

    Raises:
        Refused: when there is no evidence, or too little to tell anybody.
    """
    kinds = _kinds(left) if right is None else _kinds(left) & _kinds(right)
    where = names[0] if right is None else f"{names[0]} and {names[1]}"
    if not kinds:
        found = "" if right is None else f" ({names[0]} has {_listed(left)}; {names[1]} has {_listed(right)})"
        what = "no column is understood as evidence" if right is None else "no column means the same in both"
        raise Refused(f"{where}: {what}{found}; say what the columns mean in {roles_file} and give it with --roles.")
    if len(kinds) == 1 and kinds <= {role.value for role in _WEAK}:
        only = next(iter(kinds)).replace("_", " ")
        raise Refused(
            f"{where}: the only evidence is {only}, which many people share; add columns, or "
            f"say in {roles_file} what the others mean and give it with --roles."
        )
    if len(kinds) == 1:
        return [
            f"Everything rests on one kind of evidence ({next(iter(kinds)).replace('_', ' ')}); treat links as hints."
        ]
    return []


def check_difference(table: pa.Table, roles: Roles, name: str) -> list[str]:
    """A warning when all records of a file say the same: then nothing tells anybody from anybody."""
    import pyarrow.compute as pc

    evidence = [column for column in roles.evidence if table[column].null_count < table.num_rows]
    if table.num_rows < 2 or any(pc.count_distinct(table[column]).as_py() > 1 for column in evidence):
        return []
    return [f"{name}: all {table.num_rows:,} records say the same, so nothing tells one person from another."]


def _kinds(roles: Roles) -> set[str]:
    return {"name" if role in _NAMES else role.value for _, role in roles.columns if role not in NO_EVIDENCE}


def _listed(roles: Roles) -> str:
    return ", ".join(sorted(kind.replace("_", " ") for kind in _kinds(roles))) or "none"


def paired(left: Roles, right: Roles) -> tuple[Roles, Roles]:
    """Both in an order in which the first column of a role belongs to the first of the other file, and so on.

    Columns of one role are paired by how alike their headings are; those left over stand last.
    """
    ours: list[tuple[str, Role]] = []
    theirs: list[tuple[str, Role]] = []
    for role in Role:
        one, other = list(left.of(role)), list(right.of(role))
        if len(one) + len(other) > 2 and role not in NO_EVIDENCE:
            one, other = _matched(one, other)
        ours += [(column, role) for column in one]
        theirs += [(column, role) for column in other]
    return Roles(tuple(ours)), Roles(tuple(theirs))


def _matched(one: list[str], other: list[str]) -> tuple[list[str], list[str]]:
    likeness = sorted(
        ((-_alike(a, b), i, k) for i, a in enumerate(one) for k, b in enumerate(other)),
    )
    pairs: list[tuple[int, int]] = []
    for _, i, k in likeness:
        if i not in {p[0] for p in pairs} and k not in {p[1] for p in pairs}:
            pairs.append((i, k))
    pairs.sort()
    firsts = [one[i] for i, _ in pairs] + [c for i, c in enumerate(one) if i not in {p[0] for p in pairs}]
    seconds = [other[k] for _, k in pairs] + [c for k, c in enumerate(other) if k not in {p[1] for p in pairs}]
    return firsts, seconds


def _alike(a: str, b: str) -> float:
    one, other = words_of(a), words_of(b)
    of_birth = bool(_BIRTH_WORDS & set(one) or "birth" in a.lower()) == bool(
        _BIRTH_WORDS & set(other) or "birth" in b.lower()
    )
    return SequenceMatcher(None, " ".join(one), " ".join(other)).ratio() + of_birth
