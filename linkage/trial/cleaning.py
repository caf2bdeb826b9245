"""Cleaned columns from any analyst's file: what each role means is made comparable once, and only these are compared.

Damaged values stay as text, because a date with one wrong digit is still evidence; what says nothing about anybody
(a placeholder name, an invented date that far too many records share) becomes missing (linkage handbook 4).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from linkage.names import groups_of, skeleton, standardise_name
from linkage.trial.dates import birth_column
from linkage.trial.places import clean_email, clean_postcode, clean_telephone, clean_text, house_number
from linkage.trial.roles import Role, Roles

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBERED_WORD = re.compile(r"\b\w*\d\w*\b")
#: Words that stand in full names and tell nobody apart.
_EMPTY_WORDS = frozenset({"of", "the", "and", "to", "in", "at", "for"})
_NAMES = (Role.FORENAME, Role.SURNAME, Role.FULL_NAME, Role.MIDDLE_NAMES, Role.KNOWN_AS, Role.PREVIOUS_SURNAME)
_NAME_TEXTS = ("forename", "surname", "full_name", "forename_sound", "surname_sound")
_NAME_LISTS = ("given_names", "surnames", "name_words")
_SLICE = 50_000  # records that are worked on at a time


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Some records of one file, cleaned. `fields` says which kinds of evidence the file has, as names of the columns
    they stand in; `present` counts the records that have each field, by the same names as `columns`.
    """

    table: pa.Table
    ids: pa.Array
    fields: tuple[str, ...]
    columns: Mapping[str, str]  # field -> the analyst's own heading, several joined by commas
    present: Mapping[str, int]


class Cleaner:
    """Cleans one file, so many records at a time that memory holds little beside the file itself."""

    def __init__(self, table: pa.Table, roles: Roles, *, use_identifiers: bool) -> None:
        self._table, self._use_identifiers = table, use_identifiers
        self._names: dict[Role, dict[str, dict[str, Any]]] = {}
        self._by_role: dict[Role, list[str]] = {}
        for column, role in roles.columns:
            self._by_role.setdefault(role, []).append(column)
        self.placeholders: dict[str, int] = {}
        for column in self._by_role.get(Role.BIRTH_DATE, ())[:1]:  # how dates are written is for the whole file to say
            birth, unlikely = birth_column(table.column(column))
            self._table = table.set_column(table.column_names.index(column), column, birth)
            self.placeholders["birth_date"] = unlikely

    def slices(self, *, side: int, first: int) -> Iterator[Cleaned]:
        """The records in their order, numbered from `first`; of a file without records one slice without any."""
        for start in range(0, max(1, self._table.num_rows), _SLICE):
            work = _Work(self._table.slice(start, _SLICE), self._by_role, self._names, start)
            work.add_names()
            work.add_birth_date()
            work.add_rest(use_identifiers=self._use_identifiers)
            yield work.result(side, first)


class _Work:
    """Some records of one file under way; `names` keeps what was made of each name in slices before."""

    def __init__(
        self,
        table: pa.Table,
        by_role: Mapping[Role, list[str]],
        names: dict[Role, dict[str, dict[str, Any]]],
        start: int,
    ) -> None:
        self.table, self.by_role, self.names, self.start = table, by_role, names, start
        self.made: dict[str, pa.Array] = {}
        self.columns: dict[str, str] = {}

    def add_names(self) -> None:
        parts = {role: [self._picked(column, role) for column in self.by_role.get(role, ())] for role in _NAMES}
        if not any(parts.values()):
            return
        import pyarrow as pa

        types = dict.fromkeys(_NAME_TEXTS, pa.string()) | dict.fromkeys(_NAME_LISTS, pa.list_(pa.string()))
        types["nicknames"] = pa.list_(pa.int32())
        rows = [_person(one) for one in _rows(parts, self.table.num_rows)]
        self.made |= {name: pa.array([row[name] for row in rows], kind) for name, kind in types.items()}
        self.columns["name"] = ", ".join(column for role in _NAMES for column in self.by_role.get(role, ()))

    def add_birth_date(self) -> None:
        for column in self.by_role.get(Role.BIRTH_DATE, ())[:1]:
            self.made["birth_text"] = self.table.column(column).combine_chunks()
            self.columns["birth_date"] = column

    def add_rest(self, *, use_identifiers: bool) -> None:
        for column in self.by_role.get(Role.SEX, ())[:1]:
            self._add("sex", column, _sex)
        for number, column in enumerate(self.by_role.get(Role.POSTCODE, ())):
            self._add_postcode(f"postcode_{number}", column)
        if use_identifiers:
            for role in (Role.NHS_NUMBER, Role.IDENTIFIER):
                for number, column in enumerate(self.by_role.get(role, ())):
                    self._add(f"{role.value.lower()}_{number}", column, _identifier)
        for number, column in enumerate(self.by_role.get(Role.ADDRESS, ())):
            self._add_text(f"address_{number}", column)
        for number, column in enumerate(self.by_role.get(Role.PLACE, ())):
            self._add_text(f"place_{number}", column)
        for number, column in enumerate(self.by_role.get(Role.REGION, ())):
            self._add(f"region_{number}", column, clean_text)
        for number, column in enumerate(self.by_role.get(Role.OTHER, ())):
            self._add_text(f"other_{number}", column)
        for number, column in enumerate(self.by_role.get(Role.HOUSE_NUMBER, ())):
            self._add(f"house_number_{number}", column, house_number)
        for number, column in enumerate(self.by_role.get(Role.TELEPHONE, ())):
            self._add(f"telephone_{number}", column, clean_telephone)
        for number, column in enumerate(self.by_role.get(Role.EMAIL, ())):
            self._add(f"email_{number}", column, clean_email)
            self.made[f"email_{number}_user"] = self._each(column, lambda v: _user(clean_email(v)))

    def result(self, side: int, first: int) -> Cleaned:
        import pyarrow as pa

        rows, start = self.table.num_rows, self.start
        keys = self.by_role.get(Role.ID, [])
        own = self.table.column(keys[0]).cast(pa.string()).combine_chunks() if keys else None
        ids = pa.array([str(start + n) for n in range(rows)], pa.string()) if own is None else own
        table = pa.table(
            {
                "row_in_file": pa.array(range(first + start, first + start + rows), pa.int64()),
                "side": pa.array([side] * rows, pa.int8()),
                "id": ids,
                **self.made,
            }
        )
        return Cleaned(table, ids, tuple(self.made), self.columns, {name: self._present(name) for name in self.columns})

    def _present(self, name: str) -> int:
        import pyarrow.compute as pc

        if name == "name":
            return int(pc.sum(pc.greater(pc.list_value_length(self.made["name_words"]), 0)).as_py() or 0)
        column = self.made["birth_text" if name == "birth_date" else name]
        return len(column) - int(column.null_count)

    def _add(self, field: str, column: str, function: Callable[[str], str | None]) -> None:
        self.made[field] = self._each(column, function)
        self.columns[field] = column

    def _add_text(self, field: str, column: str) -> None:
        self._add(field, column, clean_text)
        self.made[f"{field}_words"] = self._each(column, _words, is_list=True)

    def _add_postcode(self, field: str, column: str) -> None:
        for place, suffix in enumerate(("", "_sector", "_outcode")):
            self.made[field + suffix] = self._each(column, _postcode_part(place))
        self.columns[field] = column

    def _each(self, column: str, function: Callable[[str], Any], *, is_list: bool = False) -> pa.Array:
        """`function` of every value, worked out once for each different one; missing stays missing."""
        import pyarrow as pa

        codes = self._codes(column)
        made = [function(value) for value in codes.dictionary.to_pylist()]
        return pa.array(made, pa.list_(pa.string()) if is_list else pa.string()).take(codes.indices)

    def _picked(self, column: str, role: Role) -> list[dict[str, Any] | None]:
        """The parts of each name, shared between rows of the same raw value."""
        codes, known = self._codes(column), self.names.setdefault(role, {})
        standard = _name_of(role)
        made = []
        for value in codes.dictionary.to_pylist():
            if value not in known:
                known[value] = standard(value)
            made.append(known[value])
        return [made[code] if code is not None else None for code in codes.indices.to_pylist()]

    def _codes(self, column: str) -> pa.DictionaryArray:
        import pyarrow as pa

        texts = self.table.column(column).cast(pa.string())
        return pa.chunked_array(texts.chunks, pa.string()).combine_chunks().dictionary_encode()


def _rows(parts: Mapping[Role, list[Any]], count: int) -> Iterator[dict[Role, list[dict[str, Any]]]]:
    for row in range(count):
        yield {role: [column[row] for column in columns if column[row]] for role, columns in parts.items()}


def _name_of(role: Role) -> Callable[[str], dict[str, Any]]:
    def standard(value: str) -> dict[str, Any]:
        if role is Role.FULL_NAME:
            value = _NUMBERED_WORD.sub(" ", value)
        name = standardise_name(value)
        tokens = [t for t in name.tokens if t not in _EMPTY_WORDS or role is not Role.FULL_NAME]
        return {"tokens": tokens, "joined": "".join(tokens), "others": list(name.others)}

    return standard


def _person(parts: Mapping[Role, list[dict[str, Any]]]) -> dict[str, Any]:
    """All names of one record: its first forename and surname, and every word that is part of any."""
    given = [p for p in parts[Role.FORENAME] if p["tokens"]]
    family = [p for p in parts[Role.SURNAME] if p["tokens"]]
    whole = [t for p in parts[Role.FULL_NAME] for t in p["tokens"]]
    more = [t for role in (Role.MIDDLE_NAMES, Role.KNOWN_AS) for p in parts[role] for t in p["tokens"]]
    former = [t for p in parts[Role.PREVIOUS_SURNAME] for t in (*p["tokens"], p["joined"]) if t]
    forename = given[0]["joined"] if given else (whole[0] if len(whole) > 1 and not family else "")
    surname = family[0]["joined"] if family else (whole[-1] if whole and not given else "")
    given_words = {t for p in given for t in (*p["tokens"], p["joined"], *p["others"])} | {forename} | set(more)
    family_words = {t for p in family for t in (*p["tokens"], p["joined"], *p["others"])} | {surname} | set(former)
    words = {t for p in (*given, *family) for t in p["tokens"]} | set(whole) | set(more) | set(former)
    first = (given[0]["tokens"] if given else [forename])[:1]
    return {
        "forename": forename or None,
        "surname": surname or None,
        "full_name": f"{forename} {surname}" if forename and surname else None,
        "forename_sound": skeleton(forename) or None,
        "surname_sound": skeleton(surname) or None,
        "given_names": sorted(given_words - {""}),
        "surnames": sorted(w for w in family_words if len(w) > 2 or (w and w == surname)),
        "name_words": sorted(words - {""}),
        "nicknames": list(groups_of([*first, *(t for p in parts[Role.KNOWN_AS] for t in p["tokens"][:1])])),
    }


def _words(value: str) -> list[str]:
    return sorted({w for w in (clean_text(value) or "").split() if len(w) > 1})


def _sex(value: str) -> str | None:
    letter = value.strip().lower()[:1]
    return {"m": "m", "f": "f", "1": "m", "2": "f", "w": "f"}.get(letter)


def _identifier(value: str) -> str | None:
    text = re.sub(r"[^0-9A-Z]", "", value.upper())
    return text if len(text) > 2 and len(set(text)) > 1 else None


def _postcode_part(place: int) -> Callable[[str], str | None]:
    """The postcode (0), its neighbourhood (1) or its district (2)."""

    def part(value: str) -> str | None:
        return clean_postcode(value)[place]

    return part


def _user(address: str | None) -> str | None:
    return (address or "").split("@")[0] or None
