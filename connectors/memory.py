"""What the door knows from earlier deliveries: people landed before, and children left out (keyed digests only).

A delta does not repeat everybody. Who stands in the landing zone is read from there; of a child that was left out the
ledger keeps a keyed digest and the date until which, which is enough to know the child again and not enough to name it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from connectors.people import People, adulthood, key_texts
from connectors.spec import TableSpec
from domain.profile import Profile
from governance.secrets import key_for
from governance.sql import identifier
from governance.store import Store

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from sqlalchemy import Connection

_BATCH: Final = 10_000
_FEW: Final = 20_000  # people of a delivery whom earlier ones told of; beyond that everybody is read, once …
_QUESTIONS: Final = 20  # … and so when they come up in many batches, each a pass over the table
_BLANKS: Final = "".join(chr(n) for n in range(0x3001) if chr(n).isspace())  # what `key_texts` takes off the ends


@dataclass(slots=True)
class _Landed:
    """Who of one person table has been looked up so far."""

    people: People = field(default_factory=People)
    asked: set[str] = field(default_factory=set)
    questions: int = 0
    is_everybody: bool = False


@dataclass(slots=True)
class Memory:
    """The earlier deliveries of one source, asked only when a delivery leaves a person open."""

    profile: Profile
    source: str
    _key: bytes = field(init=False)
    _until: dict[str, np.datetime64] | None = None
    _landed: dict[str, _Landed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._key = key_for(self.profile, "people left out")

    def digest(self, dataset: str, key: str) -> bytes:
        """The keyed digest of a row, 16 bytes; a person's under the person table's name."""
        return hmac.digest(self._key, f"{dataset}|{key}".encode(), "sha256")[:16]

    def find(self, people: Iterable[TableSpec], keys: pa.Array) -> np.ndarray[Any, Any]:
        """The eighteenth birthdays of persons the delivery does not tell of; NaT for who is not known either way."""
        import numpy as np

        days = np.full(len(keys), np.datetime64("NaT"), "datetime64[D]")
        for spec in people:
            found, known = self._landed_people(spec, keys).find(keys)
            days = np.where(np.isnat(days), found, days)
            remembered = self.left_out()
            if remembered:
                for place in np.flatnonzero(~known & np.isnat(days)):
                    until = remembered.get(self.digest(spec.dataset, keys[int(place)].as_py()).hex())
                    if until is not None:
                        days[place] = until
        return days

    def left_out(self) -> dict[str, np.datetime64]:
        """The children left out before: digest -> eighteenth birthday."""
        import numpy as np

        if self._until is None:
            with Store(self.profile).connect("loader") as connection:
                rows = connection.exec_driver_sql(
                    "select person_digest, until from ledger.left_out_person where source = %s", (self.source,)
                ).all()
            self._until = {digest: np.datetime64(until, "D") for digest, until in rows}
        return self._until

    def _landed_people(self, spec: TableSpec, keys: pa.Array) -> People:
        """People landed before, those of `keys` among them: a delta names few, and only they are read."""
        told = self._landed.setdefault(spec.dataset, _Landed())
        new = [] if told.is_everybody else sorted(set(keys.to_pylist()) - told.asked)
        if not new:
            return told.people
        told.questions += 1
        told.asked.update(new)
        if len(told.asked) > _FEW or told.questions > _QUESTIONS:
            told.people, told.is_everybody = People(), True
            self._read_people(spec, told.people, None)
        else:
            self._read_people(spec, told.people, new)
        return told.people

    def _read_people(self, spec: TableSpec, people: People, keys: Sequence[str] | None) -> None:
        person, birth = identifier(spec.subject.person), identifier(spec.subject.birth)
        flag = spec.subject.child_flag
        told = f"upper(btrim({identifier(flag[0])}))" if flag else "null::text"
        query = (
            f"select {person} as person, {birth} as birth, {told} as flag from landing.{identifier(spec.dataset)}"
            " where known_to is null and not is_removed"
        )
        if keys is None:
            found = Store(self.profile).read_arrow("loader", query).combine_chunks()
        else:
            found = self._some(f"{query} and btrim({person}, %(blanks)s) = any(%(keys)s)", keys)
        for batch in found.to_batches():
            flagged = None if flag is None else _equals(batch.column("flag"), flag[1])
            people.add(key_texts(batch.column("person")), adulthood(batch.column("birth"), flagged))

    def _some(self, query: str, keys: Sequence[str]) -> pa.Table:
        import pyarrow as pa

        with Store(self.profile).connect("loader") as connection:
            rows = connection.exec_driver_sql(query, {"blanks": _BLANKS, "keys": list(keys)}).all()
        columns = zip(*rows, strict=True) if rows else ((), (), ())
        return pa.table([pa.array(values, pa.string()) for values in columns], names=["person", "birth", "flag"])

    def held(self, dataset: str, row_keys: Sequence[str]) -> set[str]:
        """Those of `row_keys` that stand in the landing zone now."""
        found: set[str] = set()
        with Store(self.profile).connect("loader") as connection:
            for start in range(0, len(row_keys), _BATCH):
                found |= set(
                    connection.exec_driver_sql(
                        f"""select row_key from landing.{identifier(dataset)}
                             where known_to is null and not is_removed and row_key = any(%(keys)s)""",
                        {"keys": list(row_keys[start : start + _BATCH])},
                    ).scalars()
                )
        return found

    def has_rows(self, dataset: str) -> bool:
        """Whether anything of the table has been loaded before."""
        with Store(self.profile).connect("loader") as connection:
            return bool(
                connection.exec_driver_sql(
                    f"select exists (select from landing.{identifier(dataset)} where known_to is null)"
                ).scalar_one()
            )


def remember(connection: Connection, source: str, children: Mapping[str, date]) -> None:
    """Keep the children left out (digest -> eighteenth birthday); a later word on the same child replaces the first."""
    for rows in _in_batches(sorted(children.items())):
        connection.exec_driver_sql(
            """insert into ledger.left_out_person (source, person_digest, until)
               select %(source)s, d, u from unnest(%(digests)s::text[], %(until)s::date[]) as given (d, u)
               on conflict (source, person_digest) do update set until = excluded.until
                where ledger.left_out_person.until <> excluded.until""",
            {"source": source, "digests": [digest for digest, _ in rows], "until": [day for _, day in rows]},
        )


def forget(connection: Connection, source: str, digests: Sequence[str]) -> None:
    """Strike out those who are delivered as adults now; the door lets them in."""
    for start in range(0, len(digests), _BATCH):
        connection.exec_driver_sql(
            "delete from ledger.left_out_person where source = %(source)s and person_digest = any(%(digests)s)",
            {"source": source, "digests": list(digests[start : start + _BATCH])},
        )


def came_of_age(connection: Connection, source: str, since: date, until: date) -> int:
    """How many children left out before turned eighteen after `since` and not after `until`."""
    return int(
        connection.exec_driver_sql(
            """select count(*) from ledger.left_out_person
                where source = %(source)s and until > %(since)s and until <= %(until)s""",
            {"source": source, "since": since, "until": until},
        ).scalar_one()
    )


def _equals(values: pa.Array, wanted: str) -> np.ndarray[Any, Any]:
    import pyarrow.compute as pc

    return pc.fill_null(pc.equal(values, wanted.upper()), False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _in_batches(rows: Sequence[tuple[str, date]]) -> Iterator[Sequence[tuple[str, date]]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]
