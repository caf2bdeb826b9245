"""The columns that a model of somebody else's reads, found in an analyst's files and made comparable.

A heading that is the same wins, then one of the same words, then the only column of the same meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from linkage.trial.refusal import Refused
from linkage.trial.roles import Role, Roles

if TYPE_CHECKING:
    import pyarrow as pa

    from linkage.executor import CompiledModel

_NAMES = frozenset(
    {Role.FORENAME, Role.SURNAME, Role.FULL_NAME, Role.MIDDLE_NAMES, Role.KNOWN_AS, Role.PREVIOUS_SURNAME}
)


def columns_read(compiled: CompiledModel) -> list[str]:
    """Every column that levels, blocking rules and frequencies of the model read."""
    from sqlglot import exp

    levels = [level for comparison in compiled.comparisons for level in comparison.levels]
    trees = [level.condition for level in levels if level.condition is not None]
    trees += [way for rule in compiled.rules for way in rule.ways]
    derived = compiled.derived.trees
    names = {column.name for tree in [*trees, *derived.values()] for column in tree.find_all(exp.Column)}
    names |= {level.frequency.column for level in levels if level.frequency is not None}
    return sorted(names - derived.keys())


def found_columns(read: Sequence[str], headings: Sequence[str], roles: Roles) -> dict[str, str]:
    """Column of the model -> heading of the file.

    Raises:
        Refused: when the file has no such column; the sentence names those missing.
    """
    from linkage.trial.guessing import by_heading, words_of

    found: dict[str, str] = {}
    for name in read:
        said = by_heading(name)
        same = [h for h in headings if h.casefold() == name] or [h for h in headings if words_of(h) == words_of(name)]
        meant = list(roles.of(said[0])) if said and said[0] is not Role.IGNORE else []
        if same or len(meant) == 1:
            found[name] = (same or meant)[0]
    if missing := [name for name in read if name not in found]:
        raise Refused(
            f"The model reads {', '.join(missing)}, and the file with the columns {', '.join(headings)} has no such "
            "column; give its columns the model's names, or leave the model out to learn one."
        )
    return found


def prepared(table: pa.Table, roles: Roles, found: Mapping[str, str], *, key: str, first: int) -> pa.Table:
    """The file as the model reads it, records numbered from `first` in the column `key`.

    Names in small letters, birth dates as yyyy-mm-dd, postcodes in one form, everything else as it stands.
    """
    import pyarrow as pa

    numbers = pa.array(range(first, first + table.num_rows), pa.int64())
    return pa.table(
        {key: numbers, **{name: _as_read(table[heading], roles.role(heading)) for name, heading in found.items()}}
    )


def _as_read(column: pa.ChunkedArray, role: Role) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    from linkage.trial.dates import birth_column
    from linkage.trial.places import clean_postcode

    if role in _NAMES:
        return pc.utf8_lower(column.cast(pa.string()))
    if role is Role.BIRTH_DATE:
        texts, _ = birth_column(column)
        return pc.replace_substring_regex(texts, r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3")
    if role is Role.POSTCODE:
        codes = column.cast(pa.string()).combine_chunks().dictionary_encode()
        made = [clean_postcode(value)[0] for value in codes.dictionary.to_pylist()]
        return pa.chunked_array([pa.array(made, pa.string()).take(codes.indices)])
    return column.cast(pa.string())
