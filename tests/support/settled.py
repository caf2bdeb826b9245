"""A warehouse whose readers have a release already, while no source has delivered anything later nights would meet.

The release is the product's own: people and events of a system the council no longer has are built and published by
the build stage. Then what it was built from is taken away, so that a test counts its own rows only.
"""

from __future__ import annotations

from datetime import UTC, datetime

from domain.profile import Profile
from domain.run import RunState
from tests.support.small_warehouse import SmallWarehouse, everyday

LONG_AGO = datetime(2019, 3, 26, 2, tzinfo=UTC)
_BUILT_FROM = """select format('%%I.%%I', n.nspname, c.relname) from pg_class c
                   join pg_namespace n on n.oid = c.relnamespace
                  where c.relkind = 'r' and n.nspname = any(%s) order by 1"""


def settle(profile: Profile, admin_url: str) -> None:
    """Publish release 1 of two people with an event of every kind; afterwards the ledger holds the release alone."""
    with SmallWarehouse(profile, admin_url) as warehouse:
        everyday(warehouse, LONG_AGO)
        result = warehouse.build()
        assert (result.state, result.facts["release"]) == (RunState.DONE, "1"), result.findings
        found = warehouse.connection.execute(_BUILT_FROM, (["identity", "payload"],)).fetchall()
        names = [str(name) for (name,) in found] + ["ledger.delivery", "ledger.link_run", "ledger.run"]
        warehouse.connection.execute(f"truncate {', '.join(names)} restart identity cascade")
