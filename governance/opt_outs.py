"""The door every use beyond direct care goes through: may this NHS number be used, by the national opt-out check?

Fail closed (governance OPT-4): only a matching answer that says so and is young enough makes a number usable. Whoever
asks gets a yes or no for a number they hold already; nothing here lists people (OPT-5).
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domain.profile import Profile
from governance.secrets import key_for

if TYPE_CHECKING:
    from sqlalchemy import Connection

MAX_AGE = timedelta(days=7)


def number_digest(profile: Profile, nhs_number: str) -> str:
    """The keyed digest under which an answer about the number is kept (HMAC-SHA-256; PSE-1)."""
    return hmac.new(key_for(profile, "opt-out check"), nhs_number.encode("ascii"), "sha256").hexdigest()


def usable(
    connection: Connection, profile: Profile, numbers: Collection[str], at: datetime, max_age: timedelta = MAX_AGE
) -> frozenset[str]:
    """Those of `numbers` that may be used at that moment: answered, usable, and the answer younger than `max_age`."""
    by_digest = {number_digest(profile, number): number for number in numbers}
    found = connection.exec_driver_sql(
        """select number_digest from eligibility.checked_number
            where is_usable and answered_at <= %(at)s and answered_at > %(oldest)s
              and number_digest = any(%(asked)s)""",
        {"at": at, "oldest": at - max_age, "asked": sorted(by_digest)},
    )
    return frozenset(by_digest[digest] for digest in found.scalars())


def forget_old_answers(connection: Connection, at: datetime, max_age: timedelta = MAX_AGE) -> int:
    """Delete answers that no longer count; returns how many."""
    return connection.exec_driver_sql(
        "delete from eligibility.checked_number where answered_at <= %(oldest)s", {"oldest": at - max_age}
    ).rowcount
