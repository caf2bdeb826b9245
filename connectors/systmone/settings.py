"""How one council gets its SystmOne extract: the options of the source in its profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from connectors.systmone.split_archive import ArchiveLimits
from domain.profile import Profile, ProfileError, SourceSettings

_LINE_ENDS: Final = {"crlf": "\r\n", "lf": "\n"}


@dataclass(frozen=True, slots=True)
class SystmOneSettings:
    """How this council gets its extract.

    `bulk_closes_absent`: a full table also ends the rows it no longer holds (sources 2.2, rule 5). `organisations`: the
    views that may come; empty for any. `stem`: what the ordinary archive is called; `<stem>_<anything>` beside it is
    the history of an organisation that joins. `quiet_seconds`: how long nothing may have been written to a folder.
    `corrections`: deliveries that may come again under their name with other content, because a person says so.
    `volumes_accepted`: deliveries whose volume is far from usual and accepted by a person.
    """

    inbox: Path
    line_end: str = "\r\n"
    bulk_closes_absent: bool = False
    limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    organisations: frozenset[str] = frozenset()
    stem: str = "SRExtract"
    quiet_seconds: float = 0.0
    corrections: frozenset[str] = frozenset()
    volumes_accepted: frozenset[str] = frozenset()


def settings_of(profile: Profile, source: SourceSettings) -> SystmOneSettings:
    """The settings of one source of a profile.

    Options: `inbox` (folder of delivery folders, relative to the profile's home), `line_end` (`crlf`, the default, or
    `lf`), `bulk_closes_absent` (`true` or `false`, the default), `organisations` (codes, with commas), `stem`
    (`SRExtract`), `quiet_seconds` (0), `corrections`, `shrink_accepted` and `volume_accepted`
    (names of deliveries, with commas).

    Raises `ProfileError` when one cannot be used.
    """
    if "inbox" not in source.options:
        raise ProfileError(f"{profile.path}: sources.{source.name} needs inbox, the folder its deliveries appear in")
    line_end = source.options.get("line_end", "crlf").lower()
    if line_end not in _LINE_ENDS:
        raise ProfileError(f"{profile.path}: sources.{source.name}.line_end is crlf or lf, not {line_end!r}")
    closes = source.options.get("bulk_closes_absent", "false").lower() == "true"
    quiet = source.options.get("quiet_seconds", "0")
    if not quiet.isdecimal():
        raise ProfileError(f"{profile.path}: sources.{source.name}.quiet_seconds is a whole number of seconds")
    return SystmOneSettings(
        inbox=profile.home / source.options["inbox"],
        line_end=_LINE_ENDS[line_end],
        bulk_closes_absent=closes,
        organisations=_listed(source, "organisations"),
        stem=source.options.get("stem", "SRExtract"),
        quiet_seconds=float(quiet),
        corrections=_listed(source, "corrections"),
        volumes_accepted=_listed(source, "shrink_accepted") | _listed(source, "volume_accepted"),
    )


def _listed(source: SourceSettings, option: str) -> frozenset[str]:
    return frozenset(filter(None, map(str.strip, source.options.get(option, "").split(","))))
