"""What may be done in an identity case, as sentences: each has a pattern and what it does to the council."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest import mock

from domain.run import RunContext, RunState
from linkage.do_not_link import keep_apart, strike_off
from linkage.notices import Notice, note_notice
from tests.support.identity_specs import SpecProblem

if TYPE_CHECKING:
    from tests.support.identity_player import Stage

_RECORD = r"([a-z]+:\d+)"
_ANSWERS = {"the same person": "same", "not the same person": "not_same", "cannot be told": "cannot_tell"}
_KINDS = {"a number replaced": "number_replaced", "a merge": "merged", "a split": "split"}


def act_for(text: str) -> tuple[Callable[..., None], tuple[str, ...]]:
    """What a sentence does, with its words. Raises `SpecProblem` when no pattern fits."""
    for pattern, act in _ACTS:
        if found := re.fullmatch(pattern, text):
            return act, found.groups()
    raise SpecProblem(f"no act is written like this: {text}")


def _decide(stage: Stage, reviewer: str, one: str, other: str, answer: str) -> None:
    stage.council.decide(stage.record(one), stage.record(other), _ANSWERS[answer], reviewer)


def _take_back(stage: Stage, reviewer: str, one: str, other: str) -> None:
    numbers = sorted(stage.council.number(stage.record(name)) for name in (one, other))
    done = stage.council.connection.execute(
        """update identity.decision set withdrawn_at = clock_timestamp() where withdrawn_at is null
              and reviewer = %s and left_record_id = %s and right_record_id = %s""",
        (reviewer, *numbers),
    )
    assert done.rowcount == 1


def _leave(stage: Stage, record: str) -> None:
    stage.council.end(stage.record(record))


def _refer(stage: Stage, record: str, other: str) -> None:
    source, key = stage.record(other).split(":")
    stage.council.refer(stage.record(record), f"{source}_key", key)


def _migrate(stage: Stage, old: str, new: str, load: str) -> None:
    """A line of the migration's cross-reference list, as its own connector leaves it."""
    council, (old_source, old_key), (new_source, new_key) = (
        stage.council,
        stage.record(old).split(":"),
        stage.record(new).split(":"),
    )
    council.connection.execute(
        """insert into identity.cross_reference (source, cross_reference_key, old_source, old_key, new_source, new_key,
             load_number, is_evidence, landed_dataset, landed_version_id, row_digest, known_from)
           values ('cross_reference', %(line)s, %(old_source)s, %(old)s, %(new_source)s, %(new)s, 1, %(counts)s,
             'a test', 1, %(line)s, %(moment)s)""",
        {
            "line": f"{old_key}|{new_key}|{load}",
            "old_source": old_source,
            "old": old_key,
            "new_source": new_source,
            "new": new_key,
            "counts": load == "go-live",
            "moment": council.moment,
        },
    )


def _notice(stage: Stage, kind: str, one: str, other: str, first: str, second: str) -> None:
    assert _note(stage, kind, one, other, first, second) is RunState.DONE


def _refused_notice(stage: Stage, kind: str, one: str, other: str, first: str, second: str) -> None:
    assert _note(stage, kind, one, other, first, second) is RunState.REFUSED


def _note(stage: Stage, kind: str, one: str, other: str, first: str, second: str) -> RunState:
    left, right = (stage.council.number(stage.record(name)) for name in (one, other))
    notice = Notice(_KINDS[kind], left, right, f"IG case {stage.case.number}", first, second)
    return note_notice(RunContext(stage.council.profile, "by hand", first), notice).state


def _train(stage: Stage) -> None:
    """From now on another version of the model with other weights is in use; everything is compared anew."""
    from linkage import stage as linking
    from linkage.model import load_model

    model = load_model()
    heavier = tuple(
        replace(c, levels=tuple(replace(level, weight=level.weight * 1.05) for level in c.levels))
        for c in model.comparisons
    )
    trained = replace(model, version="trained anew", comparisons=heavier, starting_weight=model.starting_weight - 0.5)
    patch = mock.patch.object(linking, "load_model", lambda *_: trained)
    patch.start()
    stage.notes["undo"] = patch.stop


def _care(stage: Stage, record: str) -> None:
    """Events of every kind that Client Level Data tells."""
    for kind in ("request", "assessment", "review", "service", "characteristic"):
        stage.warehouse.event(kind, stage.record(record), f"{kind}-{stage.key(record)}")


def _keep_apart(stage: Stage, officer: str, record: str, other: str | None) -> None:
    context = RunContext(stage.council.profile, "by hand", officer)
    named = stage.record(other) if other else None
    assert keep_apart(context, stage.record(record), named, officer=officer, reason="an order").is_done


def _strike_off(stage: Stage, officer: str, record: str) -> None:
    entries = stage.council.connection.execute(
        """select entry_id from identity.do_not_link
            where ended_at is null and %s in (source_record_id, other_record_id)""",
        (stage.council.number(stage.record(record)),),
    ).fetchall()
    assert entries
    for (entry,) in entries:
        assert strike_off(RunContext(stage.council.profile, "by hand", officer), entry, officer=officer).is_done


def _object(stage: Stage, place: str) -> None:
    """The national opt-out check answers that a number must not be used."""
    from governance.opt_outs import number_digest

    stage.council.connection.execute(
        "insert into eligibility.checked_number values (%s, false, 'a check', %s)",
        (number_digest(stage.council.profile, stage.number(int(place))), stage.council.moment),
    )


def _residents(stage: Stage, count: str, postcode: str) -> None:
    """Many unrelated people live behind one postcode."""
    for place in range(int(count)):
        name = "".join("aeioulmnrs"[int(digit)] for digit in f"{place:02d}")
        stage.council.put(
            f"carefirst:{stage.case.number}{900 + place}",
            forename=f"B{name}ta",
            surname=f"K{name[::-1]}dow{name}",
            birth_date=f"19{20 + place}-{1 + place % 12:02d}-{2 + place % 27:02d}",
            postcode=postcode,
        )


_ACTS: tuple[tuple[str, Callable[..., Any]], ...] = (
    (rf"(\w+) decides: {_RECORD} and {_RECORD} are (the same person|not the same person)", _decide),
    (rf"(\w+) decides: whether {_RECORD} and {_RECORD} are one person (cannot be told)", _decide),
    (rf"(\w+) takes back what was decided about {_RECORD} and {_RECORD}", _take_back),
    (rf"{_RECORD} leaves its system", _leave),
    (rf"in {_RECORD} the key of {_RECORD} is written", _refer),
    (rf"the list of the migration says that {_RECORD} became {_RECORD} in the (go-live|trial) load", _migrate),
    (rf"a notice of (a number replaced|a merge|a split) for {_RECORD} and {_RECORD}, signed (\w+) and (\w+)", _notice),
    (
        rf"a notice of (a number replaced|a merge|a split) for {_RECORD} and {_RECORD}, signed (\w+) and (\w+), "
        "is refused",
        _refused_notice,
    ),
    (rf"Officer (\w+) puts {_RECORD}(?: with {_RECORD})? on the do-not-link list", _keep_apart),
    (rf"Officer (\w+) strikes off every entry of the do-not-link list about {_RECORD}", _strike_off),
    (r"the model is trained anew", _train),
    (rf"{_RECORD} has care of every kind", _care),
    (r"the opt-out check answers that no\. (\d) must not be used", _object),
    (r"(\d+) unrelated people live at (\w+ \w+)", _residents),
)
