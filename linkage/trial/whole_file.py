"""The last word on guessed roles: one id, no fact twice, and roles of two files that fit one another.

A guess about a single column cannot see that another column says the same, or says it better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linkage.trial.content import Content
from linkage.trial.roles import NO_EVIDENCE, Guess, Role, Roles

if TYPE_CHECKING:
    import pyarrow as pa

Found = dict[str, tuple[Role, str]]
_SAMPLE = 2_000
_PARTS = (Role.BIRTH_YEAR, Role.BIRTH_MONTH, Role.BIRTH_DAY)


def settle(found: Found, contents: dict[str, Content], table: pa.Table) -> None:
    """Change `found` where the file as a whole says otherwise."""
    _one_id(found)
    _same_twice(found, table)
    _surname_called_name(found, contents)
    _names_together(found, table)
    _birth_said_otherwise(found)


def _having(found: Found, *roles: Role) -> list[str]:
    return [column for column, (role, _) in found.items() if role in roles]


def _one_id(found: Found) -> None:
    """Of several columns without a repeated value, the one called an id of the record (or the first) is it."""
    from linkage.trial.guessing import words_of

    def rank(column: str) -> tuple[int, int]:
        words = words_of(column)
        of_record = words[0] in {"unique", "record", "rec", "row"} or words in {("id",), ("uid",), ("uuid",)}
        called = "called like an id" in found[column][1]
        return (0 if called and of_record else 1 if called else 2, list(found).index(column))

    candidates = sorted(_having(found, Role.ID), key=rank)
    for column in candidates[1:]:
        found[column] = (Role.IGNORE, f"no two values are the same, as in '{candidates[0]}', which is the id")


def _same_twice(found: Found, table: pa.Table) -> None:
    columns = [column for column in found if found[column][0] not in NO_EVIDENCE]
    for place, later in enumerate(columns):
        for earlier in columns[:place]:
            if found[earlier][0] is not Role.IGNORE and table[earlier].equals(table[later]):
                found[later] = (Role.IGNORE, f"repeats '{earlier}' in every record")
                break


def _surname_called_name(found: Found, contents: dict[str, Content]) -> None:
    """`vorname, name` and `forename, name`: beside a forename, a single word called name is the surname."""
    if _having(found, Role.SURNAME) or not (forenames := _having(found, Role.FORENAME)):
        return
    for column in _having(found, Role.FULL_NAME):
        if contents[column].words < 1.6:
            found[column] = (Role.SURNAME, f"called a name and beside '{forenames[0]}' it is the other one")
            return
    order = list(found)
    after = order[order.index(forenames[0]) + 1 :][:1]
    for column in after:
        likely = contents[column].letters >= 0.8 and contents[column].distinct > 0.05 * contents[column].filled
        if found[column][0] is Role.OTHER and likely and contents[column].words < 1.6:
            found[column] = (Role.SURNAME, f"single words of many kinds, next to '{forenames[0]}'")


def _names_together(found: Found, table: pa.Table) -> None:
    """A column that only glues forename and surname together is no further evidence."""
    forenames, surnames = _having(found, Role.FORENAME), _having(found, Role.SURNAME)
    if not forenames or not surnames:
        return
    head = table.slice(0, _SAMPLE)
    parts = list(zip(head[forenames[0]].to_pylist(), head[surnames[0]].to_pylist(), strict=True))
    for column in _having(found, Role.FULL_NAME):
        whole = head[column].to_pylist()
        filled = [
            sorted(value.casefold().replace(",", " ").split())
            == sorted(" ".join(p for p in pair if p).casefold().split())
            for value, pair in zip(whole, parts, strict=True)
            if value
        ]
        if filled and sum(filled) >= 0.8 * len(filled):
            found[column] = (Role.IGNORE, f"repeats '{forenames[0]}' and '{surnames[0]}'")


def _birth_said_otherwise(found: Found) -> None:
    whole = _having(found, Role.BIRTH_DATE)
    parts = {role: _having(found, role) for role in _PARTS}
    if whole:
        for column in _having(found, *_PARTS):
            found[column] = (Role.IGNORE, f"part of '{whole[0]}'")
    elif not all(parts.values()):
        for column in _having(found, *_PARTS):
            found[column] = (Role.OTHER, "a part of the birth date without the other parts: compared as equal or not")
    from linkage.trial.guessing import words_for, words_of

    for column in _having(found, Role.OTHER):
        words = set(words_of(column))
        if words & words_for("age") and (whole or all(parts.values())):
            found[column] = (Role.IGNORE, "the age, which the birth date says better")
        elif words & words_for("form_of_address") and (sexes := _having(found, Role.SEX)):
            found[column] = (Role.IGNORE, f"the form of address, which repeats '{sexes[0]}'")


def agree(left: Guess, right: Guess) -> tuple[Guess, Guess]:
    """The guesses of two files that fit one another: further evidence counts only where both files have the column."""
    return _one_sided(left, right), _one_sided(right, left)


def _one_sided(one: Guess, other: Guess) -> Guess:
    from linkage.trial.guessing import words_of

    theirs = {words_of(column) for column in other.roles.of(Role.OTHER)}
    alone = {column for column in one.roles.of(Role.OTHER) if words_of(column) not in theirs}
    return Guess(
        Roles(tuple((column, Role.IGNORE if column in alone else role) for column, role in one.roles.columns)),
        tuple((c, "the other file has no column called the same" if c in alone else why) for c, why in one.why),
    )
