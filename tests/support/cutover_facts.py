"""Facts of a cut-over written by hand, as `warehouse.cutover.facts.gather` would have brought them together."""

from __future__ import annotations

from datetime import date
from types import TracebackType
from typing import Any

import duckdb

from warehouse.cutover.patterns import Pattern, recognise
from warehouse.cutover.reconcile import Row, ask, load_checks, prepare

LIVE, FREEZE = date(2025, 7, 14), date(2025, 7, 11)
_TABLES = {
    "person": "record_id bigint, source varchar, person_key varchar, person_id varchar, is_client boolean,"
    " is_carer boolean, is_restricted boolean, is_marked_duplicate boolean, is_deceased boolean,"
    " first_known date, addresses bigint",
    "claim": "kind varchar, load_number integer, is_evidence boolean, new_key varchar, new_record bigint,"
    " old_key varchar, old_record bigint, birth_agrees boolean, surname_agrees boolean, initial_agrees boolean",
    "pair": "person_id varchar, old_record bigint, old_key varchar, new_record bigint, new_key varchar,"
    " nhs_number varchar, surname varchar, birth_date varchar, postcode varchar",
    "open_event": "kind varchar, source varchar, record_id bigint, event_key varchar, grp varchar, start_date date,"
    " amount double",
    "carer": "source varchar, event_key varchar, carer_record bigint, cared_for_record bigint",
    "unmapped": "kind varchar, event_key varchar, record_id bigint, column_name varchar",
    "orphan": "kind varchar, event_key varchar",
    "held_orphan": "dataset varchar, file_id bigint, line bigint",
    "begun": "person_key varchar, begun date",
    "note": "source varchar, person_key varchar, notes bigint",
    "date_value": "dataset varchar, column_name varchar, filled bigint, defaulted bigint, cut_over_day bigint,"
    " in_the_future bigint, truncated bigint",
}


class CutoverFacts:
    """Records are named `old:KEY` and `new:KEY`; a person is whatever word the test gives."""

    def __init__(self, *, load: int = 3, is_trial: bool = False) -> None:
        self.scratch = duckdb.connect()
        for name, columns in _TABLES.items():
            self.scratch.execute(f"create table {name} ({columns})")
        self.scratch.execute(
            "create table setting as select 'micare' as old, 'liquidlogic' as new, ?::date as day,"
            " ?::date as live_from, ?::date as freeze_from, ?::integer as load_number, ?::boolean as is_trial",
            [LIVE, LIVE, FREEZE, load, is_trial],
        )
        self.numbers: dict[str, int] = {}

    def __enter__(self) -> CutoverFacts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.scratch.close()

    def record(self, name: str, person: str, **flags: Any) -> None:
        """A record of a person; `flags` are columns of the facts that differ from an ordinary client's."""
        side, key = name.split(":")
        self.numbers[name] = len(self.numbers) + 1
        row = {
            "record_id": self.numbers[name],
            "source": _source(side),
            "person_key": key,
            "person_id": person,
            "is_client": True,
            "is_carer": False,
            "is_restricted": False,
            "is_marked_duplicate": False,
            "is_deceased": False,
            "first_known": date(2025, 5, 1) if side == "old" else LIVE,
            "addresses": 1,
            **flags,
        }
        self._put("person", row)

    def both(self, key: str, person: str, **flags: Any) -> None:
        """A record that went over one to one under the same word, its old id typed into the new system."""
        self.record(f"old:{key}", person, **flags)
        self.record(f"new:{key}", person, **flags)
        self.claim(f"new:{key}", f"old:{key}")

    def claim(self, new: str, old: str, kind: str = "legacy", load: int | None = None, **agreement: bool) -> None:
        """The new record's old id (kind legacy) or the list (kind list) says what became of the old one."""
        row = {
            "kind": kind,
            "load_number": load if kind == "list" else None,
            "is_evidence": kind == "legacy" or load == 3,
            "new_key": new.split(":")[1],
            "new_record": self.numbers.get(new),
            "old_key": old.split(":")[1],
            "old_record": self.numbers.get(old),
            "birth_agrees": True,
            "surname_agrees": True,
            "initial_agrees": True,
            **agreement,
        }
        self._put("claim", row)

    def pair(self, old: str, new: str, **answers: str) -> None:
        """What the linker answers about two records of one person; equal unless said otherwise."""
        row = {
            "person_id": "",
            "old_record": self.numbers[old],
            "old_key": old.split(":")[1],
            "new_record": self.numbers[new],
            "new_key": new.split(":")[1],
            **dict.fromkeys(("nhs_number", "surname", "birth_date", "postcode"), "equal"),
            **answers,
        }
        self._put("pair", row)

    def open(self, kind: str, record: str, event: str, grp: str = "team", **columns: Any) -> None:
        """Open work of a record."""
        row = {
            "kind": kind,
            "source": _source(record.split(":")[0]),
            "record_id": self.numbers[record],
            "event_key": event,
            "grp": grp,
            "start_date": LIVE if record.startswith("new") else date(2025, 1, 6),
            "amount": None,
            **columns,
        }
        self._put("open_event", row)

    def put(self, table: str, **row: Any) -> None:
        """A row of any other table."""
        self._put(table, row)

    def patterns(self) -> list[Pattern]:
        return recognise(self.scratch)

    def patterns_found(self) -> list[Pattern]:
        """What `rows` recognised on its way."""
        query = "select coalesce(old_key, ''), coalesce(new_key, ''), pattern, why from pattern order by all"
        return [Pattern(*row) for row in self.scratch.execute(query).fetchall()]

    def found(self) -> set[tuple[str, str, str]]:
        """Old key, new key and pattern of everything recognised."""
        return {(p.old_key, p.new_key, p.pattern) for p in self.patterns()}

    def rows(self) -> dict[str, Row]:
        """Every check of the house's own page, by its page."""
        self.patterns()
        checks, groups = load_checks()
        prepare(self.scratch, groups)
        return {check.page: ask(self.scratch, check) for check in checks}

    def _put(self, table: str, row: dict[str, Any]) -> None:
        names = ", ".join(row)
        self.scratch.execute(f"insert into {table} ({names}) values ({', '.join('?' * len(row))})", list(row.values()))


def _source(side: str) -> str:
    return {"old": "micare", "new": "liquidlogic"}[side]
