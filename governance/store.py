"""The only door to stored data: sign in as a role, for a declared purpose, in one transaction.

Every role has its own account and its own password (governance CTL-2), read from `ONESTORY_PASSWORD_<ROLE>` or from the
file that `ONESTORY_PASSWORD_FILE_<ROLE>` names; on a local socket that trusts its users none is needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from domain.profile import ROLES, Profile, ProfileError

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection, Engine

Purpose = Literal["direct_care", "statutory_return", "planning", "service_evaluation", "research", "system_operation"]


class Store:
    """Stored data of one council."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._engines: dict[str, Engine] = {}
        self._loading: dict[str, Any] = {}

    def url(self, role: str) -> str:
        """The libpq address for `role`; with the role's password when there is one."""
        if role not in ROLES:
            raise ProfileError(f"no role called {role!r}; the roles are {', '.join(ROLES)}")
        password = _password(role)
        user = f"onestory_{role}" + (f":{quote(password, safe='')}" if password else "")
        parts = urlsplit(self.profile.warehouse_url)
        return urlunsplit((parts.scheme, f"{user}@{parts.netloc}", parts.path, parts.query, ""))

    def engine(self, role: str) -> Engine:
        """An engine that signs in as `role`. No connection is kept open between transactions."""
        if role not in self._engines:
            from sqlalchemy import create_engine
            from sqlalchemy.pool import NullPool

            address = self.url(role).replace("postgresql://", "postgresql+psycopg://", 1)
            self._engines[role] = create_engine(address, poolclass=NullPool, hide_parameters=True)
        return self._engines[role]

    @contextmanager
    def connect(self, role: str, purpose: Purpose = "system_operation") -> Iterator[Connection]:
        """A connection inside one transaction: committed when the block ends well, rolled back when it raises."""
        with self.engine(role).begin() as connection:
            connection.exec_driver_sql(f"set local application_name = 'onestory {role} {purpose}'")
            yield connection

    @contextmanager
    def snapshot(self, role: str, purpose: Purpose, release: int | None = None) -> Iterator[Connection]:
        """A read-only view of one moment (repeatable read), of the current release or of an older one (CTL-9)."""
        engine = self.engine(role).execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"set local application_name = 'onestory {role} {purpose}'")
            if release is not None:
                connection.exec_driver_sql(f"set local onestory.release = '{int(release)}'")
            yield connection

    def read_arrow(self, role: str, query: str) -> pa.Table:
        """The whole result of `query` as an Arrow table; `query` is our own SQL, never built from data."""
        if role not in self._loading:
            with self.loading(role):
                return self.read_arrow(role, query)
        connection = self._loading[role]
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetch_arrow_table()
        finally:
            connection.rollback()  # nothing stays open between two reads

    def ingest(self, role: str, schema: str, table: str, data: Any, *, mode: str = "append") -> int:
        """Load Arrow data (table or batch reader) into an existing table; returns the rows written.

        The table's columns must carry the names of the data's fields. Nothing is kept when it raises.
        """
        if role not in self._loading:
            with self.loading(role):
                return self.ingest(role, schema, table, data, mode=mode)
        connection = self._loading[role]
        try:
            with connection.cursor() as cursor:
                rows = int(cursor.adbc_ingest(table, data, mode=mode, db_schema_name=schema))
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        return rows

    @contextmanager
    def loading(self, role: str) -> Iterator[None]:
        """While the block runs, `ingest` and `read_arrow` as `role` keep one connection; opening one is dear."""
        from adbc_driver_postgresql import dbapi

        with dbapi.connect(self.url(role)) as connection:
            self._loading[role] = connection
            try:
                yield
            finally:
                del self._loading[role]


def _password(role: str) -> str:
    name = role.upper()
    if file := os.environ.get(f"ONESTORY_PASSWORD_FILE_{name}"):
        return Path(file).read_text(encoding="utf-8").strip()
    return os.environ.get(f"ONESTORY_PASSWORD_{name}", "")
