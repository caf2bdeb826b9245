"""Approving a model version for a council, by named officers and for one difference report; and taking that back.

Both are lines that are only ever added (`ledger.model_adoption`). An approval holds for the data, the model files and
the version in use that its report was made with, and only once every obstacle has been explained.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.run import Finding, RunContext, RunResult, RunState
from governance.ledger import recorded
from governance.store import Store
from linkage import inputs, promotion
from linkage.adoption import AdoptionRefused, approvals, files_digest
from linkage.model import kept_versions

if TYPE_CHECKING:
    from sqlalchemy import Connection

_STAGE = "approve_model"
_SHORTEST_DIGEST = 12


@dataclass(frozen=True, slots=True)
class Compared:
    """A difference report of this council's, as it is kept."""

    comparison_id: int
    from_version: str
    to_version: str
    from_files: str
    to_files: str
    input_digest: str
    report_digest: str
    report: Mapping[str, Any]


def approve(context: RunContext, version: str, *, report: str, officers: Sequence[str], reason: str) -> RunResult:
    """Approve a version for this council; the next link run uses it.

    `report` is the digest of the difference report the officers read (its first twelve characters are enough). Ends
    `refused`, with the reason and nothing changed, without an officer or a reason, when there is no such report, when
    it is of another version, of other model files, of another version in use or of other data than today's, and while
    it holds an obstacle that nobody has explained.
    """

    def body(store: Store, _: object) -> RunResult:
        explained = promotion.read_explanations(context.profile.home / promotion.EXPLANATIONS)
        try:
            with store.connect("linker") as connection:
                compared = _read_and_checked(connection, version, report)
                named, overcome = _named(officers, reason), _explained(compared, explained)
                _insert(
                    connection,
                    compared.from_version,
                    version,
                    compared.to_files,
                    named,
                    reason.strip(),
                    compared,
                    overcome,
                )
        except AdoptionRefused as problem:
            return _refused(problem)
        told = Finding(
            "MODEL_APPROVED",
            f"model version {version} is approved for this council in place of {compared.from_version}",
            "the next link run uses it and keeps every id whose records stay together",
        )
        return RunResult(_STAGE, "", RunState.DONE, findings=(told,))

    return recorded(_STAGE, "linker", context, body)


def take_back(context: RunContext, *, officers: Sequence[str], reason: str) -> RunResult:
    """Take back an approval that no run has followed yet; both stay on record. Ends `refused` when there is none."""

    def body(store: Store, _: object) -> RunResult:
        try:
            with store.connect("linker") as connection:
                last, given = inputs.last_run(connection), approvals(connection)
                if last is None or not given or given[-1].from_version != last[1] or not given[-1].report_digest:
                    raise AdoptionRefused("there is no approval that waits for a run")
                _insert(connection, last[1], last[1], files_digest(last[1]), _named(officers, reason), reason.strip())
        except AdoptionRefused as problem:
            return _refused(problem)
        told = Finding("MODEL_TAKEN_BACK", f"the approval was taken back; {last[1]} stays in use", "nothing to do")
        return RunResult(_STAGE, "", RunState.DONE, findings=(told,))

    return recorded(_STAGE, "linker", context, body)


def _refused(problem: AdoptionRefused) -> RunResult:
    refused = Finding("MODEL_NOT_APPROVED", str(problem), "nothing was changed")
    return RunResult(_STAGE, "", RunState.REFUSED, findings=(refused,))


def _read_and_checked(connection: Connection, version: str, report: str) -> Compared:
    compared = _find(connection, report.strip().lower())
    if compared.to_version != version:
        raise AdoptionRefused(f"that report is about version {compared.to_version}, not {version}")
    last = inputs.last_run(connection)
    if last is None or last[1] != compared.from_version:
        used = last[1] if last else "none"
        raise AdoptionRefused(f"that report compares with version {compared.from_version}; in use is {used}")
    for name, digest in ((compared.from_version, compared.from_files), (version, compared.to_files)):
        if name not in kept_versions() or files_digest(name) != digest:
            raise AdoptionRefused(f"the files of version {name} are not those the report was made with")
    if inputs.input_digest(connection, version) != compared.input_digest:
        raise AdoptionRefused("records or decisions have changed since that report was made; compare again")
    return compared


def _find(connection: Connection, digest: str) -> Compared:
    if len(digest) < _SHORTEST_DIGEST:
        raise AdoptionRefused(f"name the report by at least {_SHORTEST_DIGEST} characters of its digest")
    rows = connection.exec_driver_sql(
        """select comparison_id, from_version, to_version, from_files, to_files, input_digest, report_digest, report
             from ledger.model_comparison where starts_with(report_digest, %(digest)s)""",
        {"digest": digest},
    ).fetchall()
    if len(rows) != 1:
        raise AdoptionRefused("this council keeps no difference report of that digest; make one with `compare`")
    return Compared(*rows[0])


def _named(officers: Sequence[str], reason: str) -> list[str]:
    named = list(dict.fromkeys(name.strip() for name in officers if name.strip()))
    if not named or not reason.strip():
        raise AdoptionRefused("an approval needs at least one named officer and a reason")
    return named


def _explained(compared: Compared, explained: Collection[tuple[str, str]]) -> list[dict[str, str]]:
    """The obstacles of the report, all of them explained. Raises `AdoptionRefused` when one is not."""
    obstacles = [dict(obstacle) for obstacle in compared.report["obstacles"]]
    unexplained = [o for o in obstacles if (o["code"], o["subject"]) not in explained]
    if unexplained:
        said = "; ".join(f"{o['code']} ({o['subject']})" for o in unexplained)
        raise AdoptionRefused(f"nobody has explained {said} in {promotion.EXPLANATIONS}")
    return [{"code": o["code"], "subject": o["subject"]} for o in obstacles]


def _insert(
    connection: Connection,
    from_version: str,
    to_version: str,
    to_files: str,
    officers: list[str],
    reason: str,
    compared: Compared | None = None,
    overcome: Sequence[Mapping[str, str]] = (),
) -> None:
    connection.exec_driver_sql(
        """insert into ledger.model_adoption (comparison_id, from_version, to_version, to_files, report_digest,
             officers, reason, explained)
           values (%(id)s, %(from)s, %(to)s, %(files)s, %(digest)s, %(officers)s, %(reason)s, %(explained)s)""",
        {
            "id": compared.comparison_id if compared else None,
            "from": from_version,
            "to": to_version,
            "files": to_files,
            "digest": compared.report_digest if compared else "",
            "officers": officers,
            "reason": reason,
            "explained": json.dumps(list(overcome)),
        },
    )
