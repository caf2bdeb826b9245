"""The options every source of the database kind has in common, read from a profile."""

from __future__ import annotations

from datetime import date

from connectors.database import Access
from domain.profile import Profile, ProfileError, SourceSettings


def access_of(profile: Profile, source: SourceSettings, schema: str, noun: str) -> Access:
    """How the source's database is reached: `url`, `schema`, `owner`, `statement_seconds`.

    Raises:
        ProfileError: when `url` is missing or a number is none.
    """
    options = source.options
    where = f"{profile.path}: source {source.name}"
    if "url" not in options:
        raise ProfileError(f"{where} needs the setting url, the address of {noun}")
    seconds = options.get("statement_seconds", "1800").strip()
    if not seconds.isdecimal() or int(seconds) == 0:
        raise ProfileError(f"{where}: statement_seconds is a whole number of seconds")
    owner = options.get("owner", f"the owner of the login of {source.name}")
    return Access(source.name, options["url"], options.get("schema", schema), noun, owner, int(seconds))


def accepted_in(source: SourceSettings) -> frozenset[str]:
    """The snapshots (2026-03-30T04:17:00) whose volume a person has looked at and accepted: `shrink_accepted`."""
    return frozenset(part.strip() for part in source.options.get("shrink_accepted", "").split(",") if part.strip())


def live_from_in(profile: Profile, source: SourceSettings) -> date | None:
    """The day the supplier's system goes live: `live_from`; None when it always was.

    Raises:
        ProfileError: when it is no date.
    """
    if (told := source.options.get("live_from", "").strip()) == "":
        return None
    try:
        return date.fromisoformat(told)
    except ValueError:
        raise ProfileError(f"{profile.path}: live_from of {source.name} is a date (2019-07-08)") from None
