"""What it means to survive a fault (governance section 6), as far as taking in goes, for every fault test to use.

A run ends in a declared state with a message a person can act on; the ledger balances; analysts see one release,
before and after; once the fault is gone a normal run leads to the same canonical dump; the event is in the ledger; no
canary is found outside the zones where it belongs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.profile import Profile
from domain.run import RunResult, RunState
from governance.store import Store
from onestory.cli import EXIT_FOR

_OWN_NUMBERS = ["version_id", "landed_version_id", "landed_file_id", "row_digest"]
_KEPT_WITH_VALUES = ("landing", "inbox", "supply", "raw", "mappings", "truth", "kept")  # folders where values belong
_SHOWN_ZONES = ("ledger", "release", "core", "returns")
_TABLES = """select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
              where c.relkind in ('r', 'v') and n.nspname = any(%(zones)s) order by 1"""

_VIEWS = """select 'release.' || table_name from information_schema.tables where table_schema = 'release'
             order by table_name"""


@dataclass
class Survival:
    """Asserts the points of survival over one warehouse. Make it before the fault; `canaries` are planted values."""

    profile: Profile
    canaries: tuple[str, ...] = ()
    release: list[tuple[str, list[str]]] = field(init=False)

    def __post_init__(self) -> None:
        self.release = self._release()
        assert self.release and any(rows for _, rows in self.release), "there must be a release that could be lost"

    def ended(self, result: RunResult, state: RunState, code: str) -> None:
        """The run ended as declared, says why and what to do, and everything else held meanwhile."""
        assert (result.state, {f.code for f in result.findings} & {code}) == (state, {code}), result.findings
        assert all(f.message and f.remedy for f in result.findings if f.code == code), "a message a person can act on"
        assert (EXIT_FOR[result.state.value] == 0) == (state is RunState.DONE)
        assert [r["state"] for r in self.rows(_LAST_RUN, stage=result.stage)] == [state.value], (
            "the ledger has the event"
        )
        self.stands(*(f"{f.message} {f.remedy}" for f in result.findings))

    def stands(self, *told: str) -> None:
        """Every row is accounted for, the release is the one before, and no canary is where it should not be."""
        assert unbalanced(self.profile) == []
        assert self._release() == self.release, "analysts see the release they saw before"
        assert self.leaks(told) == []

    def leaks(self, told: Iterable[str] = ()) -> list[str]:
        """Where a canary was found: tables that may be read beyond the zones of values, files, and what was said."""
        if not self.canaries:
            return []
        places = [(name, text) for name in self._shown() for text in self._texts(name)]
        places += [("a message", text) for text in told]
        places += [(str(path), text) for path, text in files_without_values(self.profile.home)]
        return sorted({place for place, text in places for canary in self.canaries if canary in text})

    def rows(self, query: str, **facts: object) -> list[dict[str, Any]]:
        with Store(self.profile).connect("loader") as connection:
            return [dict(row) for row in connection.exec_driver_sql(query, facts).mappings()]

    def _release(self) -> list[tuple[str, list[str]]]:
        """Everything an analyst sees at this moment: each view of the current release with its rows."""
        with Store(self.profile).snapshot("analyst", "planning") as connection:
            views = connection.exec_driver_sql(_VIEWS).scalars().all()
            rows = (connection.exec_driver_sql(f"select t::text from {view} t order by 1") for view in views)
            return [(view, list(told.scalars())) for view, told in zip(views, rows, strict=True)]

    def _shown(self) -> list[str]:
        with Store(self.profile).connect("publisher") as connection:
            return list(connection.exec_driver_sql(_TABLES, {"zones": list(_SHOWN_ZONES)}).scalars())

    def _texts(self, name: str) -> list[str]:
        role = {"ledger": "auditor", "returns": "returns_officer"}.get(name.split(".")[0], "publisher")
        with Store(self.profile).connect(role) as connection:
            return list(connection.exec_driver_sql(f"select coalesce(t::text, '') from {name} t").scalars())


_LAST_RUN = "select state from ledger.run where stage = %(stage)s order by entry_id desc limit 1"


def files_without_values(home: Path) -> list[tuple[Path, str]]:
    """Every file below a home that is no original, landed table or inbox, as text."""
    found = []
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.relative_to(home).parts[0] not in (*_KEPT_WITH_VALUES, "secret.key"):
            found.append((path, path.read_bytes().decode("utf-8", "replace")))
    return found


def unbalanced(profile: Profile) -> list[str]:
    """Files and tables whose rows do not add up: read = the sum of fates, and landed = read, by file and table."""
    with Store(profile).connect("auditor") as connection:
        return [
            str(row)
            for row in connection.exec_driver_sql(
                """select d.name, t.dataset, t.records, a.read from ledger.landed_table t
                     join ledger.delivery d using (delivery_id)
                     left join ledger.row_account a on a.file_id = t.file_id and a.dataset = t.dataset
                    where t.state = 'checked' and (a.read is distinct from t.records or a.read <> a.inserted + a.updated
                      + a.unchanged + a.duplicate + a.superseded + a.quarantined + a.excluded_by_policy)"""
            )
        ]


def canonical_dump(profile: Profile, source: str) -> dict[str, list[str]]:
    """Everything the warehouse holds of one source, without numbers it gave out itself: equal dumps, equal worlds."""
    with Store(profile).connect("loader") as connection:
        keys = dict(
            connection.exec_driver_sql("select source_record_id, source_person_key from identity.source_record").all()
        )
        names = connection.exec_driver_sql(_TABLES, {"zones": ["landing", "identity", "payload"]}).scalars().all()
        wanted = [n for n in names if n.startswith((f"landing.{source}__", "identity.source_", "payload."))]
        dump = {
            name: connection.exec_driver_sql(
                f"select to_jsonb(t) - %(own)s::text[] from {name} t", {"own": _OWN_NUMBERS}
            ).scalars()
            for name in wanted
            if name != "identity.source_record"
        }
        lines = {name: sorted(_line(row, keys) for row in rows) for name, rows in dump.items()}
        held = connection.exec_driver_sql("select dataset, rule, state from quarantine.held_row where state = 'held'")
        return lines | {"quarantine": sorted(str(tuple(row)) for row in held)}


def _line(row: dict[str, Any], keys: dict[int, str]) -> str:
    named = {k: keys.get(v, v) if k.endswith("_record_id") else v for k, v in row.items()}
    return json.dumps(named, sort_keys=True, ensure_ascii=False)
