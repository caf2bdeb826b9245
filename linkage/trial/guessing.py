"""Guess the role of each column: the heading speaks first, the content must agree, and the whole file has a last word.

A column that may hold the answer (a cluster, a label, a person's key that groups records) is never guessed as evidence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from linkage.trial.content import Content, content_of
from linkage.trial.roles import Guess, Role, Roles

if TYPE_CHECKING:
    import pyarrow as pa

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_SIDE = re.compile(r"[_ .]([lrab]|left|right)$", re.IGNORECASE)
_PLAIN = str.maketrans({"ł": "l", "Ł": "L", "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ı": "i"})
_NAMES = frozenset(
    {Role.FORENAME, Role.SURNAME, Role.FULL_NAME, Role.MIDDLE_NAMES, Role.KNOWN_AS, Role.PREVIOUS_SURNAME}
)


def _names_alike(content: Content) -> bool:
    return content.letters >= 0.5 and content.dates < 0.3 and content.emails < 0.3


# What the values must look like for a heading to be believed.
_AGREES: Mapping[Role, Callable[[Content], bool]] = {
    **dict.fromkeys(_NAMES, _names_alike),
    Role.BIRTH_DATE: lambda c: c.dates >= 0.3 or c.serials >= 0.5,
    Role.BIRTH_YEAR: lambda c: c.years >= 0.5 or (c.digits >= 0.8 and c.length <= 2),
    Role.BIRTH_MONTH: lambda c: c.distinct <= 40 and c.length <= 9,
    Role.BIRTH_DAY: lambda c: c.digits >= 0.5 and c.distinct <= 60 and c.length <= 2.1,
    Role.SEX: lambda c: c.distinct <= 12,
    Role.NHS_NUMBER: lambda c: c.nhs_shape >= 0.3 and c.nhs_valid >= 0.5,
    Role.IDENTIFIER: lambda c: c.any_digit >= 0.5,
    Role.TELEPHONE: lambda c: c.any_digit >= 0.8,
    Role.EMAIL: lambda c: c.emails >= 0.3,
    Role.POSTCODE: lambda c: c.any_digit >= 0.5 and c.length <= 12 and c.dates < 0.5,
    Role.PLACE: lambda c: c.digits < 0.5,
}


def guess(table: pa.Table) -> Guess:
    """A role and one sentence why for each column of a table of texts."""
    contents = {column: content_of(table[column]) for column in table.column_names}
    found = {column: _one(column, content) for column, content in contents.items()}
    from linkage.trial.whole_file import settle

    settle(found, contents, table)
    roles = Roles(tuple((column, found[column][0]) for column in table.column_names))
    return Guess(roles, tuple((column, found[column][1]) for column in table.column_names))


def words_of(heading: str) -> tuple[str, ...]:
    """A heading as plain small words: `DateOfBirth`, `date_of_birth` and `DATE OF BIRTH` are the same three."""
    parted = _CAMEL.sub(" ", heading.translate(_PLAIN))
    plain = unicodedata.normalize("NFKD", parted).encode("ascii", "ignore").decode() or parted
    return tuple(re.findall(r"[^\W_]+", plain.casefold()))


@cache
def words_for(purpose: str) -> frozenset[str]:
    """One list of `words.yml`."""
    return frozenset(_yaml("words.yml")[purpose])


def _yaml(name: str) -> dict[str, list[str]]:
    import yaml

    said: dict[str, list[str]] = yaml.safe_load((files("linkage.trial") / name).read_text(encoding="utf-8"))
    return said


@cache
def _phrases() -> tuple[tuple[tuple[str, ...], str, Role], ...]:
    """Words of a phrase, the phrase, its role: the longest first."""
    said = _yaml("headings.yml")
    phrases = [(words_of(phrase), phrase, Role(role)) for role, texts in said.items() for phrase in texts]
    # `name` alone is the weakest word of all: a town name is a town.
    return tuple(sorted(phrases, key=lambda p: (p[1] == "name", -len("".join(p[0])), -len(p[0]))))


def by_heading(heading: str) -> tuple[Role, str] | None:
    """The role whose longest phrase the heading holds, and that phrase."""
    words = words_of(heading)
    joined = "".join(words)
    for phrase, text, role in _phrases():
        run = "".join(phrase)
        inside = any(words[at : at + len(phrase)] == phrase for at in range(len(words) - len(phrase) + 1))
        if text.startswith("="):
            inside = words == phrase
        if inside or joined == run or (len(run) >= 7 and (joined.startswith(run) or joined.endswith(run))):
            return role, text.removeprefix("=")
    return None


def _one(heading: str, content: Content) -> tuple[Role, str]:
    words = set(words_of(heading))
    if content.filled == 0:
        return Role.IGNORE, "it is empty"
    if words & words_for("answer") and not content.unique:
        return Role.IGNORE, "by its heading it may hold the answer (who is who), which is never used as evidence"
    said = by_heading(heading)
    if (other := _about_something_else(words, content)) is not None and (
        said is None or said[0] is not Role.IDENTIFIER
    ):
        return other
    if said is not None and not (_is_id_heading(heading) and said[0] in _NAMES):
        role, phrase = said
        agrees = _AGREES.get(role)
        if agrees is None or agrees(content):
            return role, f"the heading says '{phrase}'{_seen(role, content)}"
        if role is Role.NHS_NUMBER:
            share = f"{content.nhs_shape * content.nhs_valid:.0%}"
            return Role.IDENTIFIER, f"called an NHS number, but only {share} have ten digits and the right check digit"
        return _by_content(heading, content, f"the heading says '{phrase}' but the values do not look like it; ")
    return _by_content(heading, content, "")


def _about_something_else(words: set[str], content: Content) -> tuple[Role, str] | None:
    if words & words_for("death"):
        return Role.OTHER, "about the death, which is further evidence"
    if content.dates >= 0.5 and words & words_for("other_dates") and not words & {"birth", "dob", "born"}:
        return Role.IGNORE, "by its heading it is the date of something other than the birth"
    if words & words_for("parents"):
        return Role.OTHER, "about a parent: further evidence, compared as equal or not"
    if words & {"gp", "practice"} and content.any_digit >= 0.5 and content.telephones < 0.5 and content.postcodes < 0.5:
        return Role.OTHER, "about the general practice: further evidence, compared as equal or not"
    if words & words_for("about_others"):
        return Role.IGNORE, "by its heading it is about somebody or something other than the person"
    return None


def _is_id_heading(heading: str) -> bool:
    words = words_of(_SIDE.sub("", heading))
    ends = words_for("id_ends")
    return bool(words) and (words[-1] in ends or words[0] in words_for("id_beginnings") or "".join(words) in ends)


def _by_content(heading: str, content: Content, before: str) -> tuple[Role, str]:
    if content.nhs_shape >= 0.8 and content.nhs_valid >= 0.8:
        share = f"{content.nhs_valid:.0%}"
        return Role.NHS_NUMBER, f"{before}ten digits, and {share} have the right check digit (chance: 9%)"
    if content.emails >= 0.7:
        return Role.EMAIL, f"{before}{content.emails:.0%} look like e-mail addresses"
    if content.postcodes >= 0.7:
        return Role.POSTCODE, f"{before}{content.postcodes:.0%} have the shape of a postcode"
    if content.dates >= 0.7 and content.years_apart >= 25:
        return Role.BIRTH_DATE, f"{before}{content.dates:.0%} are dates, spread over {content.years_apart} years"
    if content.sex_words >= 0.9 and content.distinct <= 8:
        return Role.SEX, f"{before}{content.distinct} different values, all of them words for sex"
    if _is_id_heading(heading):
        return _id_or_answer(content, before)
    if content.unique and content.words < 2 and content.rows > 1 and content.letters < 0.5 and content.dates < 0.5:
        return Role.ID, f"{before}every record has a value and no two are the same"
    if content.telephones >= 0.8:
        return Role.TELEPHONE, f"{before}{content.telephones:.0%} have the shape of a telephone number"
    if content.letters >= 0.8 and content.given_names >= 0.5 and content.distinct >= 8 and content.words < 5:
        role = Role.FULL_NAME if content.words >= 1.7 else Role.FORENAME
        return role, f"{before}{content.given_names:.0%} begin with a known given name"
    return _leftover(content, before)


def _id_or_answer(content: Content, before: str) -> tuple[Role, str]:
    if content.unique:
        return Role.ID, f"{before}called like an id; every record has a value and no two are the same"
    if content.filled < content.rows:
        return Role.IGNORE, f"{before}called like an id, but {content.rows - content.filled:,} records have none"
    return Role.IGNORE, (
        f"{before}called like an id, but {content.repeated:,} values repeat an earlier one; it may hold the answer, "
        "which is never used as evidence"
    )


def _leftover(content: Content, before: str) -> tuple[Role, str]:
    if content.distinct == 1 and content.rows > 1:
        return Role.IGNORE, f"{before}the same in every record that has a value"
    if content.words > 8 or content.length > 80:
        return Role.IGNORE, f"{before}free text"
    if content.dates >= 0.7:
        return Role.IGNORE, f"{before}dates that nothing says are of birth"
    if content.any_digit >= 0.9 and content.words < 2 and content.distinct > max(20, 0.05 * content.filled):
        return Role.IGNORE, (
            f"{before}numbers or codes of which some repeat: they may hold the answer (who is who); "
            "give the role 'identifier' or 'other' if they are evidence"
        )
    return Role.OTHER, f"{before}further evidence, compared as equal or not ({content.distinct:,} different values)"


def _seen(role: Role, content: Content) -> str:
    share = {
        Role.BIRTH_DATE: (content.dates, "look like dates")
        if content.dates >= content.serials
        else (content.serials, "look like the day numbers of a spreadsheet"),
        Role.EMAIL: (content.emails, "look like e-mail addresses"),
        Role.NHS_NUMBER: (content.nhs_shape * content.nhs_valid, "have ten digits and the right check digit"),
    }.get(role)
    if share is None and role is Role.POSTCODE and content.postcodes >= 0.3:
        share = (content.postcodes, "have the British shape")
    return f"; {share[0]:.0%} {share[1]}" if share else f"; {content.distinct:,} different values"
