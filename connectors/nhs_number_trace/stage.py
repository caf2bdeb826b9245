"""Front door of tracing: ask the national service about numbers that are missing or not verified, take what it answers.

Purpose: only a verified number links by itself. Takes: the current records of the identity zone. Produces: a request
file, and from its response `identity.trace_answer`, which linking reads through `identity.number_status`. When it goes
wrong: a response that cannot be read is refused as a whole; nothing is believed, and the records can be asked again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.base import DeliveryProblem
from connectors.nhs_number_trace.answers import ACCEPT_FROM, Answer, AnswerError, answer_of
from connectors.nhs_number_trace.layout import REQUEST, RESPONSE, read, write
from domain.profile import Profile
from domain.run import Finding, RunContext, RunResult, RunState
from governance import do_not_trace, sealed
from governance.ledger import Lease, latest_moment, recorded
from governance.store import Store

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

SERVICE = "nhs_number_trace"
_LAPSES_AFTER_DAYS = 7  # a batch trace is answered within a day (assumption); `lapses_after_days` in the profile
_OLD_PAGE = "do_not_trace.txt"
_NOT_ENTERED = Finding(
    "DO_NOT_TRACE_PAGE",
    f"the do-not-trace list stands in {_OLD_PAGE}; it is kept in the warehouse, with its officer and reason",
    "enter each line with `onestory do-not-trace add`, then take the page away; nobody is asked about until then",
)
_KEPT_DAYS = 30  # sources hand-book 15 (assumption); `kept_days` in the profile

# Restricted people are not asked about: a trace would carry their address outside (governance PRO-1). Neither is a
# record about which the same question was answered before.
_TO_ASK = """
select p.source_record_id, s.status, identity.trace_digest(p) as digest, p.nhs_number_supplied, p.surname, p.forename,
       p.middle_names, p.sex, p.birth_date, p.death_date, p.address_text, p.postcode, p.gp_practice_code, p.telephone,
       p.email
  from identity.source_person p join identity.number_status s using (source_record_id)
  left join identity.trace_answer t
    on t.source_record_id = p.source_record_id and t.known_to is null and t.asked_digest = identity.trace_digest(p)
 where p.known_to is null and not p.is_restricted and s.status in ('02', '03') and t.source_record_id is null
   and p.birth_date is not null
 order by p.source_record_id"""


def ask(context: RunContext) -> RunResult:
    """Write one request file about every record that needs tracing and was not asked about with the same details.

    Returns counts `asked` and `skipped` (on the do-not-trace list); no file when nobody needs to be asked about, or
    when an earlier request is still unanswered.
    """
    return recorded("trace", "linker", _scoped(context, "ask"), lambda store, _: _ask(context, store))


def take(context: RunContext) -> RunResult:
    """Take every response that has come, write its answers, and dispose of files whose time is over.

    Returns counts `verified`, `superseded`, `clashing`, `not_found`, `unreadable`, `unanswered`, `waiting` (requests
    without a response yet). State `refused` when a response cannot be read as a whole.
    """
    return recorded("trace", "linker", _scoped(context, "take"), lambda store, lease: _take(context, store, lease))


def _scoped(context: RunContext, scope: str) -> RunContext:
    return RunContext(context.profile, context.run_id, context.actor, source=scope, settings=context.settings)


def _ask(context: RunContext, store: Store) -> RunResult:
    profile = context.profile
    counts = {"asked": 0, "skipped": 0}
    with store.connect("linker", "direct_care") as connection:
        moment = latest_moment(connection)
        do_not_trace.forget_answers(connection)
        if moment is None or _waiting(connection):
            return RunResult("trace", "ask", RunState.DONE, counts)
        if (profile.home / _OLD_PAGE).is_file():  # nobody is asked about while a list is not in force
            return RunResult("trace", "ask", RunState.HELD, counts, (_NOT_ENTERED,))
        spared = do_not_trace.spared(connection)
        people = [dict(row) for row in connection.exec_driver_sql(_TO_ASK).mappings()]
        rows = [_request_row(person, moment) for person in people if person["source_record_id"] not in spared]
        counts = {"asked": len(rows), "skipped": len(people) - len(rows)}
        if not rows:
            return RunResult("trace", "ask", RunState.DONE, counts)
        content = write(rows, REQUEST)
        name = _next_name(connection, profile, moment)
        sealed.seal(profile, SERVICE, f"{name}.request", content)
        _put_out(_folder(profile) / "request" / f"{name}.csv", content)
        connection.exec_driver_sql(
            """insert into ledger.trace_request (request_name, asked_at, asked, file_sha256)
               values (%(name)s, %(moment)s, %(asked)s, %(sha)s)""",
            {"name": name, "moment": moment, "asked": len(rows), "sha": hashlib.sha256(content).hexdigest()},
        )
    return RunResult("trace", "ask", RunState.DONE, counts, as_known_at=moment, facts={"request": name})


def _take(context: RunContext, store: Store, _: Lease) -> RunResult:
    names = ("verified", "superseded", "clashing", "not_found", "unreadable", "unanswered", "waiting", "disposed")
    counts, findings = dict.fromkeys(names, 0), list[Finding]()
    with store.connect("linker", "direct_care") as connection:
        moment = latest_moment(connection)
        do_not_trace.forget_answers(connection)
        for name in _waiting(connection):
            response = _folder(context.profile) / "response" / f"{name}.csv"
            if moment is None or not response.is_file():
                lapsed = moment is not None and _let_lapse(connection, context.profile, name, moment)
                counts["unanswered" if lapsed else "waiting"] += lapsed or 1
                continue
            try:
                told = _take_one(connection, context.profile, name, response, moment)
            except DeliveryProblem as problem:
                findings.append(problem.finding)
                sealed.seal(context.profile, SERVICE, f"{name}.response", response.read_bytes())
                _close(connection, name, "refused", moment, {})
                continue
            for what, number in told.items():
                counts[what] += number
        if moment is not None:
            counts["disposed"] = _dispose(connection, context.profile, moment)
    with store.connect("linker", "direct_care") as connection:
        _put_away(connection, context.profile)
    state = RunState.REFUSED if findings else RunState.DONE
    return RunResult("trace", "take", state, counts, tuple(findings), moment)


def _take_one(connection: Connection, profile: Profile, name: str, response: Path, moment: datetime) -> dict[str, int]:
    content = response.read_bytes()
    rows = read(content, RESPONSE, f"{name}.csv")
    asked = {r["UNIQUE_REFERENCE"]: r for r in read(sealed.unseal(profile, SERVICE, f"{name}.request"), REQUEST, name)}
    told, answers = Counter[str](), dict[str, Answer]()
    spared = {str(record) for record in do_not_trace.spared(connection)}
    limit = float(profile.exchange(SERVICE).options.get("accept_algorithmic_from", ACCEPT_FROM))
    for row in rows:
        question = asked.get(row["UNIQUE_REFERENCE"])
        # An answer must repeat its question: one about other details is about somebody else. Of a record that was put
        # on the do-not-trace list meanwhile nothing is taken (PRO-4).
        reference = row["UNIQUE_REFERENCE"]
        if question is None or reference in spared or any(row[column] != question[column] for column in REQUEST):
            continue
        try:
            answer = answer_of(row, allow_test_range=profile.synthetic, accept_from=limit)
        except AnswerError:
            told["unreadable"] += 1
            asked.pop(row["UNIQUE_REFERENCE"])
            continue
        answers[answer.unique_reference] = answer
    for answer in answers.values():
        told[{"01": "verified", "05": "clashing", "04": "not_found"}[answer.status]] += 1
        told["superseded"] += answer.is_superseded and answer.status == "01"
    told["unanswered"] = len(asked.keys() - answers.keys())
    _write_answers(connection, name, answers.values(), moment)
    sealed.seal(profile, SERVICE, f"{name}.response", content)
    _close(connection, name, "answered", moment, told)
    return dict(told)


def _write_answers(connection: Connection, name: str, answers: object, moment: datetime) -> None:
    rows = [
        {
            "record": int(a.unique_reference), "request": name, "status": a.status, "number": a.matched_number,
            "kind": a.person_id_type, "mps": a.mps_id, "step": a.step, "superseded": a.is_superseded,
            "several": a.is_several, "score": a.score, "scores": json.dumps(dict(a.feature_scores)), "moment": moment,
        }
        for a in answers  # type: ignore[attr-defined]
    ]  # fmt: skip
    if not rows:
        return
    connection.exec_driver_sql(
        """update identity.trace_answer set known_to = %(moment)s
            where source_record_id = %(record)s and known_to is null""",
        rows,
    )
    connection.exec_driver_sql(
        """insert into identity.trace_answer (source_record_id, request_name, asked_digest, status, matched_number,
             person_id_type, mps_id, step, is_superseded, is_several, score, feature_scores, known_from)
           select %(record)s, %(request)s, identity.trace_digest(p), %(status)s, %(number)s, %(kind)s, %(mps)s,
             %(step)s, %(superseded)s, %(several)s, %(score)s, %(scores)s, %(moment)s
             from identity.source_person p where p.source_record_id = %(record)s and p.known_from <=
               (select asked_at from ledger.trace_request where request_name = %(request)s)
            order by p.known_from desc limit 1""",
        rows,
    )


def _close(connection: Connection, name: str, state: str, moment: datetime, told: dict[str, int]) -> None:
    connection.exec_driver_sql(
        """update ledger.trace_request set state = %(state)s, answered_at = %(moment)s, verified = %(verified)s,
             clashing = %(clashing)s, not_found = %(not_found)s, unreadable = %(unreadable)s,
             unanswered = %(unanswered)s, superseded = %(superseded)s where request_name = %(name)s""",
        {"state": state, "moment": moment, "name": name}
        | {k: told.get(k, 0) for k in ("verified", "clashing", "not_found", "unreadable", "unanswered", "superseded")},
    )


def _put_away(connection: Connection, profile: Profile) -> None:
    """No open copy of a closed exchange is left; only once it is on record, or a killed run would wait for ever."""
    closed = connection.exec_driver_sql("select request_name from ledger.trace_request where state <> 'asked'")
    for name in closed.scalars():
        for side in ("request", "response"):
            (_folder(profile) / side / f"{name}.csv").unlink(missing_ok=True)


def _let_lapse(connection: Connection, profile: Profile, name: str, moment: datetime) -> int:
    """Close a request that nobody answered in its time, so that its people are asked about again; returns how many."""
    days = int(profile.exchange(SERVICE).options.get("lapses_after_days", _LAPSES_AFTER_DAYS))
    asked = connection.exec_driver_sql(
        """update ledger.trace_request set state = 'lapsed', unanswered = asked, answered_at = %(moment)s
            where request_name = %(name)s and asked_at <= %(moment)s - make_interval(days => %(days)s)
           returning asked""",
        {"name": name, "moment": moment, "days": days},
    ).scalar_one_or_none()
    if asked:
        (_folder(profile) / "request" / f"{name}.csv").unlink(missing_ok=True)
    return int(asked or 0)


def _dispose(connection: Connection, profile: Profile, moment: datetime) -> int:
    days = int(profile.exchange(SERVICE).options.get("kept_days", _KEPT_DAYS))
    over = [
        name
        for name, since in connection.exec_driver_sql(
            "select request_name, asked_at from ledger.trace_request where state <> 'asked' and disposed_at is null"
        )
        if sealed.is_over(since, moment, days)
    ]
    for name in over:
        sealed.dispose(profile, SERVICE, [f"{name}.request", f"{name}.response"])
    if over:
        connection.exec_driver_sql(
            "update ledger.trace_request set disposed_at = %(moment)s where request_name = any(%(names)s)",
            {"moment": moment, "names": over},
        )
    return len(over)


def _waiting(connection: Connection) -> list[str]:
    return list(
        connection.exec_driver_sql(
            "select request_name from ledger.trace_request where state = 'asked' order by asked_at, request_name"
        ).scalars()
    )


def _next_name(connection: Connection, profile: Profile, moment: datetime) -> str:
    number = connection.exec_driver_sql("select count(*) + 1 from ledger.trace_request").scalar_one()
    return f"{'SYNTHETIC_' if profile.synthetic else ''}TRACE_{profile.la_code}_{moment:%Y%m%d}_{number:05d}"


def _request_row(person: dict[str, object], moment: datetime) -> dict[str, str]:
    def text(name: str) -> str:
        return str(person[name] or "")

    def day(name: str) -> str:
        value = person[name]
        return f"{value:%Y%m%d}" if value else ""

    return {
        "UNIQUE_REFERENCE": text("source_record_id"), "NHS_NO": text("nhs_number_supplied"),
        "FAMILY_NAME": text("surname"), "GIVEN_NAME": text("forename"), "OTHER_GIVEN_NAME": text("middle_names"),
        "GENDER": text("sex") or "0", "DATE_OF_BIRTH": day("birth_date"), "DATE_OF_DEATH": day("death_date"),
        "ADDRESS_LINE1": text("address_text"), "POSTCODE": text("postcode"),
        "GP_PRACTICE_CODE": text("gp_practice_code"), "AS_AT_DATE": f"{moment:%Y%m%d}",
        "LOCAL_PATIENT_ID": text("source_record_id"), "INTERNAL_ID": text("source_record_id"),
        "TELEPHONE_NUMBER": text("telephone"), "EMAIL_ADDRESS": text("email"),
    }  # fmt: skip


def _folder(profile: Profile) -> Path:
    return profile.home / profile.exchange(SERVICE).options.get("folder", "exchange/nhs_number_trace")


def _put_out(path: Path, content: bytes) -> None:
    """Lay a file out for the service: whole or not at all, readable by this account only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
    unfinished.replace(path)
