"""What an identity case may say of the night after, as sentences: each has a pattern and a question it answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.identity_specs import SpecProblem

if TYPE_CHECKING:
    from tests.support.identity_player import Stage

_RECORD = r"([a-z]+:\d+)"


def fact_for(text: str) -> tuple[Callable[..., bool], tuple[str, ...]]:
    """The question of a sentence, with its words. Raises `SpecProblem` when no pattern fits."""
    for pattern, fact in _FACTS:
        if found := re.fullmatch(pattern, text):
            return fact, found.groups()
    raise SpecProblem(f"no fact is written like this: {text}")


def _redirects(stage: Stage, lost: str, kept: str) -> bool:
    return _person(stage, lost)[:2] == ("retired", stage.person_of[kept])


def _was_parted(stage: Stage, part: str, whole: str) -> bool:
    return bool(_person(stage, part)[2] == stage.person_of[whole])


def _nobody(stage: Stage, letter: str) -> bool:
    return _person(stage, letter)[:2] == ("retired", None)


def _person(stage: Stage, letter: str) -> tuple[Any, ...]:
    row = stage.council.connection.execute(
        "select status, superseded_by, split_from from identity.person where person_id = %s",
        (stage.person_of[letter],),
    ).fetchone()
    assert row is not None
    return tuple(row)


def _was(stage: Stage, record: str, letter: str) -> bool:
    believed = stage.council.connection.execute(
        "select person_id from identity.membership where source_record_id = %s and known_to = %s",
        (stage.council.number(stage.record(record)), stage.council.moment),
    ).fetchone()
    return believed == (stage.person_of[letter],)


def _told(stage: Stage, code: str) -> bool:
    return code in stage.findings


def _not_in_the_queue(stage: Stage, one: str, other: str) -> bool:
    """Whatever is known of the pair, it is not in the queue that ordinary reviewers work through."""
    numbers = sorted(stage.council.number(stage.record(name)) for name in (one, other))
    waiting = "select count(*) from identity.ordinary_review where left_record_id = %s and right_record_id = %s"
    return bool(stage.council.one(waiting, *numbers) == 0)


def _send(stage: Stage) -> bool:
    from domain.run import RunContext
    from statutory import stage as returns

    assert stage.warehouse.build(f"case {stage.case.number}, before").is_done
    result = returns.run(RunContext(stage.council.profile, "a return", "an officer"))
    stage.notes["return"] = result.facts
    return Path(result.facts["path"]).exists()


def _shown(stage: Stage, letter: str, records: str) -> bool:
    """The last release before showed these records as that person, which is listed for whoever asks about them."""
    from governance.recipients import releases_showing
    from governance.store import Store

    with Store(stage.council.profile).connect("auditor") as connection:
        told = releases_showing(connection, stage.person_of[letter])
    sent = int(stage.notes["return"]["release"])
    return [
        (s.records, s.elsewhere_now) for s in told if s.release == sent and s.shown_as == stage.person_of[letter]
    ] == [(int(records), int(records))]


def _return_listed(stage: Stage, letter: str) -> bool:
    from governance.recipients import returns_from
    from governance.store import Store
    from onestory.recipients import rows_in

    with Store(stage.council.profile).connect("auditor") as connection:
        given = returns_from(connection, {int(stage.notes["return"]["release"])})
    return any((rows_in(sent, {stage.person_of[letter]}) or 0) > 0 for sent in given)


def _file_stands(stage: Stage) -> bool:
    from hashlib import sha256

    sent = stage.notes["return"]
    return bool(sha256(Path(sent["path"]).read_bytes()).hexdigest() == sent["sha256"])


def _next_release(stage: Stage, record: str, other: str, letter: str) -> bool:
    assert stage.warehouse.build(f"case {stage.case.number}, after").is_done
    rows = stage.council.connection.execute(
        "select person_id from core.identity where known_to is null and source_record_id = any(%s)",
        ([stage.council.number(stage.record(name)) for name in (record, other)],),
    ).fetchall()
    return rows == [(stage.person_of[letter],)] * 2


def _not_usable(stage: Stage, record: str) -> bool:
    """The number of the person is what counts, also for a record that bears none itself."""
    from governance.opt_outs import usable
    from governance.store import Store

    number = str(_detail(stage, stage.council.person(stage.record(record)), "nhs_number"))
    with Store(stage.council.profile).connect("publisher") as connection:
        return not usable(connection, stage.council.profile, {number}, stage.council.moment) and number != "None"


def _best(stage: Stage, field: str, letter: str, value: str) -> bool:
    return str(_detail(stage, stage.person_of[letter], field.replace(" ", "_"))).casefold() == value.casefold()


def _detail(stage: Stage, person: str, field: str) -> Any:
    return stage.council.one(
        f"select {field} from identity.person_detail where person_id = %s and known_to is null", person
    )


def _new_version(stage: Stage) -> bool:
    stage.notes["undo"]()
    said = "select model_version from ledger.link_run order by link_run_id desc limit 1"
    return bool(stage.council.one(said) == "trained anew")


_FACTS: tuple[tuple[str, Callable[..., bool]], ...] = (
    (r"(\w) redirects to (\w)", _redirects),
    (r"(\w) was parted from (\w)", _was_parted),
    (r"(\w) is nobody at present", _nobody),
    (rf"until then {_RECORD} was believed to be (\w)", _was),
    (r"the run says `(\w+)`", _told),
    (rf"no ordinary reviewer is shown {_RECORD} with {_RECORD}", _not_in_the_queue),
    (r"the release before is listed as having shown (\w) with (\d) records?, all of somebody else now", _shown),
    (r"the return is listed as having told of (\w)", _return_listed),
    (r"a release is published, and the return is prepared from it and sent", _send),
    (r"the sent file is as it was", _file_stands),
    (rf"the next release shows {_RECORD} and {_RECORD} as (\w)", _next_release),
    (rf"what is known of the person of {_RECORD} may not be used for planning", _not_usable),
    (r"the best (forename|surname|birth date|postcode) of (\w) is (.+)", _best),
    (r"every pair was compared under the new version", _new_version),
)
