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


@dataclass(slots=True)
class Memory:
    """The earlier deliveries of one source, asked only when a delivery leaves a person open."""

    profile: Profile
    source: str
    _key: bytes = field(init=False)
    _until: dict[str, np.datetime64] | None = None
    _landed: dict[str, People] = field(default_factory=dict)

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
            found, known = self._landed_people(spec).find(keys)
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

    def _landed_people(self, spec: TableSpec) -> People:
        if spec.dataset not in self._landed:
            person, birth = identifier(spec.subject.person), identifier(spec.subject.birth)
            flag = spec.subject.child_flag
            told = f", upper(btrim({identifier(flag[0])})) as flag" if flag else ""
            table = (
                Store(self.profile)
                .read_arrow(
                    "loader",
                    f"select {person} as person, {birth} as birth{told} from landing.{identifier(spec.dataset)}"
                    " where known_to is null and not is_removed",
                )
                .combine_chunks()
            )
            people = People()
            for batch in table.to_batches():
                flagged = None if flag is None else _equals(batch.column("flag"), flag[1])
                people.add(key_texts(batch.column("person")), adulthood(batch.column("birth"), flagged))
            self._landed[spec.dataset] = people
        return self._landed[spec.dataset]

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
