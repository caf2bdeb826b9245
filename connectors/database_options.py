"""The options every source of the database kind has in common, read from a profile."""

from __future__ import annotations

from datetime import date

from connectors.base import Connector
from connectors.database import Access
from connectors.database_folder import ENCODINGS, FolderConnector
from connectors.database_snapshot import DatabaseConnector, Plan
from domain.profile import Profile, ProfileError, SourceSettings


def access_of(profile: Profile, source: SourceSettings, schema: str, noun: str) -> Access:
    """How the source's database is reached: `url`, `schema`, `owner`, `statement_seconds`, `tries`, `retry_pause`.

    A refused login is tried `tries` times (3), `retry_pause` seconds apart (2, growing threefold): few, so that no
    account gets locked.

    Raises:
        ProfileError: when `url` is missing or a number is none.
    """
    options = source.options
    where = f"{profile.path}: source {source.name}"
    if "url" not in options and "folder" not in options:
        raise ProfileError(f"{where} needs the setting url, the address of {noun}, or folder, where its exports arrive")
    seconds = options.get("statement_seconds", "1800").strip()
    if not seconds.isdecimal() or int(seconds) == 0:
        raise ProfileError(f"{where}: statement_seconds is a whole number of seconds")
    tries, pause = options.get("tries", "3").strip(), options.get("retry_pause", "2").strip()
    if not tries.isdecimal() or int(tries) == 0 or not pause.replace(".", "", 1).isdecimal():
        raise ProfileError(f"{where}: tries is a whole number, retry_pause a number of seconds")
    pauses = tuple(float(pause) * 3**place for place in range(int(tries) - 1))
    owner = options.get("owner", f"the owner of the login of {source.name}")
    return Access(source.name, options.get("url", ""), options.get("schema", schema), noun, owner, int(seconds), pauses)


def accepted_in(source: SourceSettings) -> frozenset[str]:
    """The snapshots (2026-03-30T04:17:00) whose volume a person has looked at and accepted.

    Named in `shrink_accepted` or `volume_accepted`, comma between; both mean the whole snapshot.
    """
    told = f"{source.options.get('shrink_accepted', '')},{source.options.get('volume_accepted', '')}"
    return frozenset(part.strip() for part in told.split(",") if part.strip())


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


def connector_of(profile: Profile, source: SourceSettings, plan: Plan) -> Connector:
    """What reads the plan: the database itself, or, with the option `folder`, exports that arrive there.

    Options of exports: `folder` (relative to the profile's home), `encoding` (utf-8, the default, or cp1252).

    Raises:
        ProfileError: when both ways are named, or an encoding nobody agreed on.
    """
    options = source.options
    if "folder" not in options:
        return DatabaseConnector(plan)
    encoding = options.get("encoding", ENCODINGS[0]).strip().lower()
    if "url" in options or encoding not in ENCODINGS:
        where = f"{profile.path}: source {source.name}"
        raise ProfileError(f"{where} has either url or folder; encoding is one of {', '.join(ENCODINGS)}")
    return FolderConnector(plan, profile.home / options["folder"], encoding)
