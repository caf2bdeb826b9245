"""The door of a source: what must not come in is left out before anything of it is written (governance CHI-1 to CHI-3).

Children, what happened before somebody's eighteenth birthday, rows that point at a child, and legally restricted facts
(SEN-2) are counted by reason with keyed digests; their contents are in the kept original and nowhere else. Every table
a connector writes passes here: `landing.TableWriter` asks for the open door.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from connectors.ages import NOT_YET, first_day_of
from connectors.borrowed_memory import BorrowedMemory
from connectors.memory import Memory
from connectors.people import People, adulthood, key_texts
from connectors.spec import TableSpec, table_specs
from domain.periods import LONDON
from domain.profile import Profile, SourceSettings
from governance.flows import flow_of
from governance.restricted import RestrictedFacts, restricted_facts

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

CHILD, BEFORE_18, POINTS_AT_CHILD, RESTRICTED = "child", "before_18", "points_at_child", "restricted_code"
REASONS: Final = ("", CHILD, POINTS_AT_CHILD, BEFORE_18, RESTRICTED)  # by number; the first that fits is the one told
DISPOSITION: Final = "disposition"  # the column that tells the check stage to end a row it knows
_OPEN: ContextVar[Door | None] = ContextVar("onestory_door", default=None)


@dataclass(slots=True)
class LeftOut:
    """What was left out of one table: rows and keyed digests (16 bytes each, one after another) by reason."""

    rows: Counter[str] = field(default_factory=Counter)
    digests: dict[str, bytearray] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def entering(as_known_at: datetime) -> None:
    """To be said by a connector before it writes a delivery's first table: the moment up to which the supplier knew.

    Without an open door (a table read outside the landing stage) it does nothing.
    """
    if (door := _OPEN.get()) is not None:
        door.moment = as_known_at.astimezone(LONDON).date()


def people_first(specs: Mapping[str, TableSpec]) -> dict[str, TableSpec]:
    """The same tables with those of persons at the front, then those that others hang on: the order the door needs."""
    parents = {spec.subject.parent for spec in specs.values()}
    rank = {t: (not s.subject.is_person_table, s.dataset not in parents) for t, s in specs.items()}
    return dict(sorted(specs.items(), key=lambda item: rank[item[0]]))


@contextmanager
def open_door(profile: Profile, source: SourceSettings) -> Iterator[Door]:
    """The door stands while the block lands one delivery; afterwards it tells what was left out of each table."""
    door = Door(profile, source)
    token = _OPEN.set(door)
    try:
        yield door
    finally:
        _OPEN.reset(token)


def lets_somebody_in() -> bool:
    """Whether the people read so far tell of adults whom earlier deliveries left out as children.

    What hangs on them was left out as well, and does not come by itself where only changes are read.
    """
    door = _OPEN.get()
    return door is not None and not door.keeps_children and bool(door.adults_once_left_out())


def gate_for(path: Path, spec: TableSpec, fields: tuple[str, ...]) -> Gate | None:
    """The gate a table has to pass; None without an open door, or when the table tells nothing that is protected."""
    door = _OPEN.get()
    return None if door is None else door.gate(path, spec, fields)


def fields_agreed(spec: TableSpec) -> frozenset[str] | None:
    """The fields of a table that the source's flow names; None without an open door or without a register."""
    door = _OPEN.get()
    return None if door is None or door.agreed is None else frozenset(door.agreed.get(spec.table, ()))


class Door:
    """One delivery's door: who is a child at its moment, and what was left out so far.

    A source's option `children` is `excluded` (the default) or, in words, the legal basis for keeping them (CHI-1).
    """

    def __init__(self, profile: Profile, source: SourceSettings) -> None:
        self.keeps_children = source.options.get("children", "excluded").strip().lower() != "excluded"
        self.agreed = flow_of(profile.flows, source).columns if profile.flows else None
        self.moment: date | None = None
        self.memory = Memory(profile, source.name)
        self.people = People()
        self.restricted: RestrictedFacts = restricted_facts(profile)
        self.left_out: dict[Path, LeftOut] = {}
        self.left_children: list[tuple[str, pa.Array]] = []  # person dataset, keys
        self.left_keys: dict[str, dict[str, int]] = {}  # dataset -> key -> number of the reason
        specs = table_specs(source.connector).values()
        self.person_tables = tuple(spec for spec in specs if spec.subject.is_person_table)
        about = source.options.get("old")  # a migration's list points at the people of the source that was replaced
        if not self.person_tables and about in {named.name for named in profile.sources}:
            self.memory = BorrowedMemory(profile, str(about))
            told = table_specs(profile.source(str(about)).connector).values()
            self.person_tables = tuple(spec for spec in told if spec.subject.is_person_table)
        self._parents = frozenset(spec.subject.parent for spec in specs if spec.subject.parent)
        self._anybody_passed = False

    def gate(self, path: Path, spec: TableSpec, fields: tuple[str, ...]) -> Gate | None:
        """The gate of a table with these columns."""
        subject = spec.subject
        if not any(name in fields for name in subject.fields):
            return None
        if not (set(subject.codes) | set(subject.names)) & set(fields) and self.keeps_children:
            return None
        if self.moment is None:
            raise RuntimeError(f"{spec.dataset}: the connector must say entering() before it writes a table")
        if subject.is_person_table and self._anybody_passed:
            raise RuntimeError(f"{spec.dataset}: people come first through the door, see people_first()")
        self._anybody_passed = self._anybody_passed or not subject.is_person_table
        self.left_out[path] = LeftOut()
        return Gate(self, spec, frozenset(fields), self.left_out[path], spec.dataset in self._parents)

    def adulthood_of(self, keys: pa.Array) -> np.ndarray[Any, Any]:
        """The eighteenth birthday of each person; NaT where nobody knows one."""
        import numpy as np

        told = keys.dictionary_encode()
        days, known = self.people.find(told.dictionary)
        asked = np.flatnonzero(~known)
        if len(asked) and not self.keeps_children:
            days[asked] = self.memory.find(self.person_tables, told.dictionary.take(asked))
        return days[told.indices.to_numpy(zero_copy_only=False)]  # type: ignore[no-any-return]

    @property
    def children(self) -> dict[str, date]:
        """Keyed digests of the children left out so far, each with the eighteenth birthday."""
        told = {}
        for dataset, keys in self.left_children:
            days, _ = self.people.find(keys)
            for key, day in zip(keys.to_pylist(), days.tolist(), strict=True):
                told[self.memory.digest(dataset, key).hex()] = day if day is not None else date.fromisoformat(NOT_YET)
        return told

    def adults_once_left_out(self) -> list[str]:
        """Digests of those whom this delivery tells of as adults and whom the memory holds as children."""
        remembered = self.memory.left_out()
        if not remembered or self.moment is None:
            return []
        keys = self.people.adults_at(self.moment)
        digests = (self.memory.digest(spec.dataset, key).hex() for spec in self.person_tables for key in keys)
        return [digest for digest in digests if digest in remembered]


@dataclass(slots=True)
class Gate:
    """One table's way through the door."""

    door: Door
    spec: TableSpec
    fields: frozenset[str]
    left_out: LeftOut
    is_parent: bool
    _knows_rows: bool | None = None

    def admit(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.Array | None]:
        """The rows that may come in, with the bare keys of rows that came in before and must go now.

        Beside them which rows of the batch came in; None when all did.
        """
        import numpy as np
        import pyarrow as pa

        reasons = np.zeros(batch.num_rows, np.int8)
        if not self.door.keeps_children:
            self._children(batch, reasons)
        self._restricted(batch, reasons)
        if not reasons.any():
            return batch, None
        inside = pa.array(reasons == 0)
        out = np.flatnonzero(reasons)
        kept = batch.filter(inside)
        gone = self._keep_account(batch.take(pa.array(out)), reasons[out])
        return (kept if gone is None else pa.concat_batches([kept, gone])), inside

    def _children(self, batch: pa.RecordBatch, reasons: np.ndarray[Any, Any]) -> None:
        import numpy as np

        subject, moment = self.spec.subject, np.datetime64(self.door.moment, "D")
        if subject.birth in self.fields:
            days = self._own_birthdays(batch)
        elif subject.person in self.fields:
            days = self.door.adulthood_of(key_texts(batch.column(subject.person)))
        else:
            days = np.full(batch.num_rows, np.datetime64("NaT"), "datetime64[D]")
        _mark(reasons, CHILD, days > moment)
        for name in self.fields & set(subject.related):
            _mark(reasons, POINTS_AT_CHILD, self.door.adulthood_of(key_texts(batch.column(name))) > moment)
        dates = [batch.column(name) for name in subject.dates if name in self.fields]
        if dates and not np.isnat(days).all():
            _mark(reasons, BEFORE_18, first_day_of(dates) < days)
        if subject.parent_key in self.fields and (left := self.door.left_keys.get(subject.parent)):
            keys = key_texts(batch.column(subject.parent_key)).to_pylist()
            inherited = np.fromiter((left.get(key, 0) for key in keys), np.int8, len(keys))
            np.copyto(reasons, inherited, where=(reasons == 0))

    def _own_birthdays(self, batch: pa.RecordBatch) -> np.ndarray[Any, Any]:
        """The person table's own rows: who is told of here, the door need not look for elsewhere."""
        import pyarrow.compute as pc

        subject, flagged = self.spec.subject, None
        if subject.child_flag and subject.child_flag[0] in self.fields:
            text = pc.utf8_upper(key_texts(batch.column(subject.child_flag[0])))
            flagged = pc.equal(text, subject.child_flag[1].upper()).to_numpy(zero_copy_only=False)
        days = adulthood(batch.column(subject.birth), flagged)
        self.door.people.add(key_texts(batch.column(subject.person)), days)
        return days

    def _restricted(self, batch: pa.RecordBatch, reasons: np.ndarray[Any, Any]) -> None:
        facts = self.door.restricted
        for name in self.fields & set(self.spec.subject.codes):
            _mark(reasons, RESTRICTED, facts.coded(batch.column(name)))
        for name in self.fields & set(self.spec.subject.names):
            _mark(reasons, RESTRICTED, facts.named(batch.column(name)))

    def _keep_account(self, out: pa.RecordBatch, reasons: np.ndarray[Any, Any]) -> pa.RecordBatch | None:
        """Count what stays out; returns bare keys for rows the landing zone holds, so that checking ends them."""
        import numpy as np
        import pyarrow as pa

        row_keys = _row_keys(out, self.spec.key)
        if self.is_parent:
            told = self.door.left_keys.setdefault(self.spec.dataset, {})
            told.update(zip((key.strip() for key in row_keys), reasons.tolist(), strict=True))
        if self.spec.subject.is_person_table:
            children = out.column(self.spec.subject.person).filter(pa.array(reasons == REASONS.index(CHILD)))
            self.door.left_children.append((self.spec.dataset, key_texts(children)))
        if self._knows_rows is None:
            self._knows_rows = self.door.memory.has_rows(self.spec.dataset)
        known = self.door.memory.held(self.spec.dataset, row_keys) if self._knows_rows else set()
        ends = np.array([key in known for key in row_keys], bool)
        for number in np.unique(reasons[~ends]):
            reason = REASONS[number]
            keys = [key for key, n, end in zip(row_keys, reasons, ends, strict=True) if n == number and not end]
            self.left_out.rows[reason] += len(keys)
            digests = self.left_out.digests.setdefault(reason, bytearray())
            for key in keys:
                digests += self.door.memory.digest(self.spec.dataset, key)
        if not ends.any():
            return None
        return _bare(out.filter(pa.array(ends)), self.spec.key, [REASONS[n] for n in reasons[ends]])


def _mark(reasons: np.ndarray[Any, Any], reason: str, where: np.ndarray[Any, Any]) -> None:
    reasons[(reasons == 0) & where] = REASONS.index(reason)


def _row_keys(batch: pa.RecordBatch, key: tuple[str, ...]) -> list[str]:
    """The keys as the landing zone writes them."""
    import pyarrow.compute as pc

    parts = [pc.fill_null(batch.column(name), "") for name in key]
    return pc.binary_join_element_wise(*parts, "|").to_pylist()  # type: ignore[no-any-return]


def _bare(batch: pa.RecordBatch, key: tuple[str, ...], reasons: list[str]) -> pa.RecordBatch:
    import pyarrow as pa

    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name == DISPOSITION:
            columns.append(pa.array(reasons, pa.string()))
        else:
            columns.append(column if name in key or name == "landed_line" else pa.nulls(len(column), column.type))
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)
