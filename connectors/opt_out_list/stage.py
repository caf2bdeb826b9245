"""Front door of the opt-out check: ask about every verified number whose answer grows old, take what comes back.

Purpose: uses beyond direct care leave out whoever opted out. Takes: verified NHS numbers of the identity zone.
Produces: `eligibility.checked_number` and one line of `ledger.opt_out_check` per request. When it goes wrong: nothing
is usable that was not answered; direct care and statutory returns do not ask and go on (F57).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.base import DeliveryProblem
from connectors.opt_out_list.files import AnswerUnfit, RequestRefused, read_answer, write_request
from connectors.opt_out_list.mailbox import SERVICE, Letter, Mailbox, open_mailbox, settings_of
from domain.identifiers import parse_nhs_number
from domain.profile import Profile
from domain.run import Finding, RunContext, RunResult, RunState
from governance import sealed
from governance.ledger import latest_moment, recorded
from governance.opt_outs import MAX_AGE, forget_old_answers, number_digest
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

_RENEW_BEFORE = timedelta(days=2)  # an answer is asked for anew before it is too old to be used
_LAPSES_AFTER = timedelta(days=2)  # answers come within an hour; what is older is not coming


def exchange(context: RunContext) -> RunResult:
    """Take the answers that wait, then ask about every verified number without a young answer.

    Returns counts `asked`, `usable`, `removed`, `invalid`, `unanswered`, `unfit` (letters that fit no request),
    `without_number` (current records that could not be checked). State `held` when the exchange cannot be reached.
    """
    scoped = RunContext(context.profile, context.run_id, context.actor, source=SERVICE, settings=context.settings)
    return recorded("opt_out_check", "loader", scoped, lambda store, _: _exchange(scoped, store))


def _exchange(context: RunContext, store: Store) -> RunResult:
    profile = context.profile
    names = ("asked", "usable", "removed", "invalid", "unanswered", "unfit", "without_number")
    counts, findings = dict.fromkeys(names, 0), list[Finding]()
    with store.connect("loader") as connection:
        moment = latest_moment(connection)
    if moment is None:
        return RunResult("opt_out_check", SERVICE, RunState.DONE, counts)
    try:
        with open_mailbox(settings_of(profile)) as mailbox:
            for letter in mailbox.letters():
                with store.connect("loader") as connection:
                    _take(connection, profile, letter, moment, counts, findings)
                mailbox.acknowledge(letter)
            with store.connect("loader") as connection:
                forget_old_answers(connection, moment, MAX_AGE)
                _let_lapse(connection, profile, moment, counts)
            _ask(store, profile, mailbox, moment, counts)
    except DeliveryProblem as problem:
        return RunResult("opt_out_check", SERVICE, problem.state, counts, (*findings, problem.finding), moment)
    return RunResult("opt_out_check", SERVICE, RunState.DONE, counts, tuple(findings), moment)


def _ask(store: Store, profile: Profile, mailbox: Mailbox, moment: datetime, counts: dict[str, int]) -> None:
    """Send the halves of refused requests, then one request about every number that needs an answer."""
    with store.connect("loader") as connection:
        numbers, counts["without_number"] = _to_ask(connection, profile, moment)
        if numbers:
            _note(connection, profile, numbers, moment, None)
        noted = list(_requests(connection, "noted"))
    for name, local_id in noted:  # a run killed here finds them noted and sends them; one sent twice is answered twice
        content = sealed.unseal(profile, SERVICE, name)
        mailbox.send(name, local_id, content)
        with store.connect("loader") as connection:
            connection.exec_driver_sql(
                "update ledger.opt_out_check set state = 'asked' where request_name = %(name)s", {"name": name}
            )
        counts["asked"] += content.count(b"\n")


def _requests(connection: Connection, *states: str) -> Iterator[tuple[str, str]]:
    """Name and local reference of the requests in these states."""
    for name, local_id in connection.exec_driver_sql(
        "select request_name, local_id from ledger.opt_out_check where state = any(%(states)s) order by request_name",
        {"states": list(states)},
    ):
        yield str(name), str(local_id)


def _to_ask(connection: Connection, profile: Profile, moment: datetime) -> tuple[list[str], int]:
    """Numbers without a young answer or an open request, and how many records have no verified number at all."""
    verified = set(
        connection.exec_driver_sql(
            "select distinct nhs_number from identity.number_status where is_verified and nhs_number is not null"
        ).scalars()
    )
    without = connection.exec_driver_sql(
        "select count(*) from identity.number_status where not coalesce(is_verified, false)"
    ).scalar_one()
    valid = {n for text in verified if (n := parse_nhs_number(text, allow_test_range=profile.synthetic).number)}
    answered = set(
        connection.exec_driver_sql(
            "select number_digest from eligibility.checked_number where answered_at > %(oldest)s",
            {"oldest": moment - MAX_AGE + _RENEW_BEFORE},
        ).scalars()
    )
    open_ones = {
        number
        for name, _ in _requests(connection, "noted", "asked")
        for number in sealed.unseal(profile, SERVICE, name).decode("ascii").replace(",", "").split()
    }
    wanted = sorted(n for n in valid - open_ones if number_digest(profile, n) not in answered)
    return wanted, int(without)


def _note(
    connection: Connection, profile: Profile, numbers: Collection[str], moment: datetime, split_from: str | None
) -> None:
    """Write a request down, sealed, before it is sent."""
    number = connection.exec_driver_sql("select count(*) + 1 from ledger.opt_out_check").scalar_one()
    mailbox = profile.exchange(SERVICE).options["mailbox"]
    name, local_id = f"{mailbox}_{moment:%Y%m%d}_{number:05d}.dat", f"OS{moment:%Y%m%d}{number:05d}"
    content = write_request(numbers)
    sealed.seal(profile, SERVICE, name, content)
    connection.exec_driver_sql(
        """insert into ledger.opt_out_check (request_name, local_id, asked_at, asked, file_sha256, split_from)
           values (%(name)s, %(local)s, %(moment)s, %(asked)s, %(sha)s, %(split)s)""",
        {"name": name, "local": local_id, "moment": moment, "asked": len(numbers),
         "sha": hashlib.sha256(content).hexdigest(), "split": split_from},
    )  # fmt: skip


def _take(
    connection: Connection,
    profile: Profile,
    letter: Letter,
    moment: datetime,
    counts: dict[str, int],
    findings: list[Finding],
) -> None:
    row = connection.exec_driver_sql(
        """select request_name, file_sha256 from ledger.opt_out_check
            where local_id = %(local)s and state in ('noted', 'asked')""",
        {"local": letter.local_id},
    ).one_or_none()
    content = sealed.unseal(profile, SERVICE, row[0]) if row else b""
    if row is None or hashlib.sha256(content).hexdigest() != row[1]:
        counts["unfit"] += 1
        findings.append(_unfit("a letter answers no open request of ours"))
        return
    asked = frozenset(content.decode("ascii").replace(",", "").split())
    try:
        may_use = read_answer(letter.content, asked)
    except RequestRefused:
        _split(connection, profile, str(row[0]), sorted(asked), moment, counts)
    except AnswerUnfit as problem:
        counts["unfit"] += 1
        findings.append(_unfit(f"{row[0]}: {problem}"))
    else:
        _store(connection, profile, str(row[0]), asked, may_use, moment)
        counts["usable"] += len(may_use)
        counts["removed"] += len(asked) - len(may_use)


def _store(
    connection: Connection,
    profile: Profile,
    name: str,
    asked: frozenset[str],
    may_use: frozenset[str],
    moment: datetime,
) -> None:
    connection.exec_driver_sql(
        """insert into eligibility.checked_number (number_digest, is_usable, request_name, answered_at)
           values (%(digest)s, %(usable)s, %(name)s, %(moment)s)
           on conflict (number_digest) do update set is_usable = excluded.is_usable,
             request_name = excluded.request_name, answered_at = excluded.answered_at""",
        [
            {"digest": number_digest(profile, n), "usable": n in may_use, "name": name, "moment": moment}
            for n in sorted(asked)
        ],
    )
    _close(connection, name, "answered", moment, usable=len(may_use), removed=len(asked) - len(may_use))
    _put_away(profile, name)


def _split(
    connection: Connection, profile: Profile, name: str, asked: list[str], moment: datetime, counts: dict[str, int]
) -> None:
    """A refused request is asked again in two halves, until the number nobody can be asked about stands alone (F59)."""
    if len(asked) == 1:
        counts["invalid"] += 1
        _store_unusable(connection, profile, name, asked[0], moment)
        _close(connection, name, "refused", moment, invalid=1)
    else:
        middle = len(asked) // 2
        for half in (asked[:middle], asked[middle:]):
            _note(connection, profile, half, moment, name)
        _close(connection, name, "split", moment)
    _put_away(profile, name)


def _store_unusable(connection: Connection, profile: Profile, name: str, number: str, moment: datetime) -> None:
    # Remembered as not usable, or the next run would ask about it again at once.
    connection.exec_driver_sql(
        """insert into eligibility.checked_number values (%(digest)s, false, %(name)s, %(moment)s)
           on conflict (number_digest) do update set is_usable = false, answered_at = excluded.answered_at""",
        {"digest": number_digest(profile, number), "name": name, "moment": moment},
    )


def _let_lapse(connection: Connection, profile: Profile, moment: datetime, counts: dict[str, int]) -> None:
    """Requests nobody answered are closed and put away; their numbers count as unanswered and are asked about again."""
    lapsed = connection.exec_driver_sql(
        """update ledger.opt_out_check set state = 'lapsed', unanswered = asked, answered_at = %(moment)s
            where state in ('noted', 'asked') and asked_at < %(oldest)s returning request_name, asked""",
        {"moment": moment, "oldest": moment - _LAPSES_AFTER},
    )
    for name, asked in lapsed.all():
        counts["unanswered"] += int(asked)
        _put_away(profile, str(name))


def _close(
    connection: Connection,
    name: str,
    state: str,
    moment: datetime,
    *,
    usable: int = 0,
    removed: int = 0,
    invalid: int = 0,
) -> None:
    connection.exec_driver_sql(
        """update ledger.opt_out_check set state = %(state)s, answered_at = %(moment)s, usable = %(usable)s,
             removed = %(removed)s, invalid = %(invalid)s where request_name = %(name)s""",
        {"state": state, "moment": moment, "usable": usable, "removed": removed, "invalid": invalid, "name": name},
    )


def _put_away(profile: Profile, name: str) -> None:
    sealed.dispose(profile, SERVICE, [name])


def _unfit(what: str) -> Finding:
    return Finding("OPT_OUT_ANSWER", what, "nothing of it was believed; the numbers stay unusable and are asked again")
