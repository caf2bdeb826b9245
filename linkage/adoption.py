"""Which model version a council uses: the one of its last run, until named officers approve another.

What ships with a release never changes who is who by itself. An approval names the digest of the difference report
that was read, and holds for that report's data, for the model files it was made with and for the version in use then
(linkage handbook 7.2 and 10).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from domain.run import Finding
from linkage import inputs
from linkage.model import FILES, current_version, kept_versions

if TYPE_CHECKING:
    from sqlalchemy import Connection


class AdoptionRefused(ValueError):
    """An approval or comparison that cannot be; says why, without anything of a person."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The version a run uses, the one it falls back to when that one is new and meets an obstacle, and what to say."""

    version: str
    in_use: str | None
    findings: tuple[Finding, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether the run would change the council's model."""
        return self.in_use is not None and self.in_use != self.version


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval as it was given."""

    approved_at: datetime
    from_version: str
    to_version: str
    to_files: str
    report_digest: str
    officers: tuple[str, ...]
    reason: str


def choose(connection: Connection, pinned: str | None = None) -> Choice:
    """The version for the next run. `pinned`: the setting `model_version`; it needs an approval like any other change.

    A council without any run yet starts with what is pinned or shipped. Raises `AdoptionRefused` when the files of the
    version in use are gone: nobody may be linked by another one in its place.
    """
    last = inputs.last_run(connection)
    if last is None:
        return Choice(pinned or current_version(), None)
    in_use = last[1]
    if in_use not in kept_versions():
        raise AdoptionRefused(f"the files of model version {in_use}, which this council uses, are not in this release")
    given = approvals(connection)
    approved = given[-1] if given and given[-1].from_version == in_use != given[-1].to_version else None
    wanted = pinned or (approved.to_version if approved else current_version())
    left_before = {one.from_version for one in given if one.from_version != one.to_version} - {in_use}
    if wanted == in_use or (pinned is None and approved is None and wanted in left_before):
        return Choice(in_use, in_use)
    if approved is None or approved.to_version != wanted:
        return Choice(in_use, in_use, (_waiting(wanted, in_use),))
    if wanted not in kept_versions() or files_digest(wanted) != approved.to_files:
        return Choice(in_use, in_use, (_altered(wanted, in_use),))
    return Choice(wanted, in_use)


def not_adopted(choice: Choice, against: Sequence[Finding]) -> Choice:
    """The choice for the same night after an approved version met obstacles: the version in use, and why."""
    assert choice.in_use is not None
    held = Finding(
        "MODEL_HELD",
        f"model version {choice.version} is approved, but its run met obstacles; this night went on with "
        f"{choice.in_use}",
        f"explain or remove what is said of it, or take the approval back with `onestory model take-back`; every night "
        f"tries {choice.version} again until then",
    )
    return Choice(choice.in_use, choice.in_use, (held, *against))


def approvals(connection: Connection) -> list[Approval]:
    """All approvals of this council, oldest first."""
    rows = connection.exec_driver_sql(
        """select approved_at, from_version, to_version, to_files, report_digest, officers, reason
             from ledger.model_adoption order by adoption_id"""
    )
    return [Approval(row[0], row[1], row[2], row[3], row[4], tuple(row[5]), row[6]) for row in rows]


def used_since(connection: Connection) -> dict[str, tuple[datetime, datetime, int]]:
    """For every version this council was ever linked with: first and last night, and how many runs."""
    rows = connection.exec_driver_sql(
        "select model_version, min(as_known_at), max(as_known_at), count(*) from ledger.link_run group by 1"
    )
    return {str(row[0]): (row[1], row[2], int(row[3])) for row in rows}


def files_digest(version: str) -> str:
    """One digest over the files of a version, so that an approval can hold for these very files."""
    digest, folder = hashlib.sha256(), files("linkage") / "models"
    for ending in FILES:
        digest.update(hashlib.sha256((folder / f"{version}{ending}").read_bytes()).digest())
    return digest.hexdigest()


def digest_of(report: Mapping[str, Any]) -> str:
    """The digest an approval names: the same report gives the same digest."""
    return hashlib.sha256(json.dumps(report, sort_keys=True).encode()).hexdigest()


def keep_comparison(
    connection: Connection, report: Mapping[str, Any], *, input_digest: str, moment: datetime, made_by: str
) -> str:
    """Keep a difference report with the council and return its digest; the same report is kept once."""
    digest = digest_of(report)
    connection.exec_driver_sql(
        """insert into ledger.model_comparison (made_by, from_version, to_version, from_files, to_files, input_digest,
             as_known_at, report_digest, report)
           values (%(by)s, %(from)s, %(to)s, %(from_files)s, %(to_files)s, %(input)s, %(moment)s, %(digest)s,
             %(report)s)
           on conflict (report_digest) do nothing""",
        {
            "by": made_by,
            "from": report["from"]["version"],
            "to": report["to"]["version"],
            "from_files": report["from"]["files"],
            "to_files": report["to"]["files"],
            "input": input_digest,
            "moment": moment,
            "digest": digest,
            "report": json.dumps(report),
        },
    )
    return digest


def _waiting(wanted: str, in_use: str) -> Finding:
    return Finding(
        "MODEL_WAITS",
        f"model version {wanted} waits for approval; people are linked with {in_use} as before",
        f"see what it would change with `onestory model compare {in_use} {wanted}`; approve it with "
        f"`onestory model approve {wanted}`, or leave things as they are",
    )


def _altered(wanted: str, in_use: str) -> Finding:
    return Finding(
        "MODEL_ALTERED",
        f"the files of model version {wanted} are not those that were approved; people are linked with {in_use} as "
        "before",
        f"compare and approve again: `onestory model compare {in_use} {wanted}`",
    )
