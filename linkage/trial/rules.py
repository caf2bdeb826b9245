"""The equality rules a trial may choose pairs by, in words and as selects of (record_id, value) over `standard`.

Each combines few fields, so that damage in one of them does not hide a pair from all rules (linkage handbook 6).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to find pairs. `about` names the comparisons whose fields it uses.

    `implied` is all that two records have in common that the rule brings together: one rule whose set is part of
    another's finds all of the other's pairs. Empty where that is not known. `is_plain`: one value for each record.
    """

    name: str
    select: str
    about: frozenset[str]
    is_identifier: bool = False
    cap: int | None = None
    implied: frozenset[str] = frozenset()
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of evidence a rule may use: what it is called, its value, the comparison it belongs to."""

    words: str
    value: str
    about: str
    implies: tuple[str, ...] = ()


_WORD = "(select *, unnest(name_words) as word from standard)"
_FULL = "least(forename, surname) || ' ' || greatest(forename, surname)"  # exchanged names meet as well
_YEAR, _MONTH_DAY = "left(birth_text, 4)", "right(birth_text, 4)"
_YEAR_MONTH, _YEAR_DAY = "left(birth_text, 6)", "left(birth_text, 4) || right(birth_text, 2)"


def rules_for(fields: Sequence[str]) -> list[Rule]:
    """All rules that the cleaned columns `fields` allow."""
    rules = [*_identifier_rules(fields), *_single_rules(fields), *_word_rules(fields)]
    parts = list(_parts(fields))
    for one, other in combinations(parts, 2):
        if one.about != other.about:
            rules.append(_rule([one, other]))
    for three in combinations(_weak_parts(fields), 3):
        if len({part.about for part in three}) > 1:
            rules.append(_rule(list(three)))
    return rules


def _of(fields: Sequence[str], kind: str) -> list[str]:
    return [f for f in fields if re.fullmatch(rf"{kind}_\d+", f)]


def _rule(parts: Sequence[_Part]) -> Rule:
    value = " || '|' || ".join(part.value for part in parts)
    return Rule(
        " + ".join(part.words for part in parts),
        f"select record_id, {value} as value from standard",
        frozenset(part.about for part in parts),
        implied=frozenset(implied for part in parts for implied in (part.value, *part.implies)),
    )


def _parts(fields: Sequence[str]) -> Iterator[_Part]:
    """Evidence strong enough that two pieces of different kinds make a rule."""
    if "name_words" in fields:
        yield _Part("full name", f"({_FULL})", "name")
        yield _Part("forename", "forename", "name", ("forename_sound", "left(forename, 1)", "left(forename, 3)"))
        yield _Part("surname", "surname", "name", ("surname_sound", "left(surname, 1)", "left(surname, 3)"))
        yield _Part("sound of forename", "forename_sound", "name")
        yield _Part("sound of surname", "surname_sound", "name")
        yield _Part("initials", "left(forename, 1) || left(surname, 1)", "name")
    if "birth_text" in fields:
        yield _Part("birth date", "birth_text", "birth_date", (_YEAR, _MONTH_DAY, _YEAR_MONTH, _YEAR_DAY))
        yield _Part("month and day of birth", _MONTH_DAY, "birth_date")
        yield _Part("year and month of birth", _YEAR_MONTH, "birth_date", (_YEAR,))
        yield _Part("year and day of birth", _YEAR_DAY, "birth_date", (_YEAR,))
    for field in _of(fields, "postcode"):
        yield _Part("postcode", field, field, (f"{field}_outcode",))
        yield _Part("district", f"{field}_outcode", field)
    for kind in ("address", "place", "other"):
        for field in _of(fields, kind):
            yield _Part(field.replace("_", " "), field, field)


def _weak_parts(fields: Sequence[str]) -> Iterator[_Part]:
    """Evidence of which three pieces make a rule."""
    if "name_words" in fields:
        yield _Part("first letters of forename", "left(forename, 3)", "name", ("left(forename, 1)",))
        yield _Part("first letters of surname", "left(surname, 3)", "name", ("left(surname, 1)",))
    if "birth_text" in fields:
        yield _Part("year of birth", _YEAR, "birth_date")
        yield _Part("month and day of birth", _MONTH_DAY, "birth_date")
    for field in _of(fields, "postcode")[:1]:
        yield _Part("district", f"{field}_outcode", field)
    for field in _of(fields, "house_number")[:1]:
        yield _Part("house number", field, field)
    for kind in ("place", "other"):
        for field in _of(fields, kind)[:1]:
            yield _Part(field.replace("_", " "), field, field)


def _identifier_rules(fields: Sequence[str]) -> Iterator[Rule]:
    for kind in ("nhs_number", "identifier"):
        for field in _of(fields, kind):
            yield Rule(field.replace("_", " "), f"select record_id, {field} as value from standard",
                       frozenset({field}), is_identifier=True)  # fmt: skip


def _single_rules(fields: Sequence[str]) -> Iterator[Rule]:
    """Fields that alone may be rare enough; the budget decides."""
    for kind in ("telephone", "email", "postcode", "address"):
        for field in _of(fields, kind):
            yield _rule([_Part(field.replace("_", " "), field, field)])
    for field in _of(fields, "email"):
        yield _rule([_Part("name before the @", f"{field}_user", field)])
    if "birth_text" in fields:
        yield _rule([_Part("birth date", "birth_text", "birth_date")])
    if "name_words" in fields:
        yield _rule([_Part("full name", f"({_FULL})", "name")])
        yield _rule([_Part("sound of full name", "forename_sound || ' ' || surname_sound", "name")])


def _word_rules(fields: Sequence[str]) -> Iterator[Rule]:
    """Any word of the name: missing, further or exchanged names still meet."""
    if "name_words" not in fields:
        return
    yield Rule("rare word of the name", f"select record_id, word as value from {_WORD} where length(word) > 3",
               frozenset({"name"}), cap=30, is_plain=False)  # fmt: skip
    yield Rule("two words of the name",
               "select record_id, one || ' ' || other as value from (select record_id, one, unnest(name_words) as other"
               f" from (select *, word as one from {_WORD})) where one < other",
               frozenset({"name"}), is_plain=False)  # fmt: skip
    if "birth_text" in fields:
        yield Rule("birth date + any word of the name", f"select record_id, birth_text || word as value from {_WORD}",
                   frozenset({"name", "birth_date"}), is_plain=False)  # fmt: skip
    for field in [*_of(fields, "postcode")]:
        yield Rule("postcode + any word of the name", f"select record_id, {field} || word as value from {_WORD}",
                   frozenset({"name", field}), is_plain=False)  # fmt: skip
