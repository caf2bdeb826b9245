"""CareFirst's rows through the real checks: what is held, why, and how it comes back."""

from __future__ import annotations

from pathlib import Path

from connectors import conform
from domain.profile import Profile
from domain.run import RunContext, RunState
from expectations import stage as check
from tests.support.carefirst_world import Desk, collect, event, person, record, rows, world

HELD = "select dataset, rule from quarantine.held_row where state = 'held' order by dataset"
SERVICES = "select event_key from payload.service where known_to is null order by event_key"


def test_rows_that_do_not_decode_or_have_no_parent_are_held_and_the_orphan_comes_back(
    database: Profile, tmp_path: Path
) -> None:
    desk, size = Desk(tmp_path), 40
    people, records = [person(n) for n in range(1, size)], [record(n) for n in range(1, size)]
    events = [event(n, "service" if n % 2 else "request", of=n) for n in range(1, size)]
    desk.write(world(people, records, events, nights=1))
    desk.release(0)
    agreements = desk.file("SERVICE_AGREEMENT").read_bytes().splitlines(keepends=True)
    desk.tamper("SERVICE_AGREEMENT", b"".join(agreements[:-1]), rows=len(agreements) - 2)
    answers = desk.file("OBSERVATION").read_bytes()
    desk.tamper("OBSERVATION", answers.replace(b"Asked for help at home", b"Asked for help \x81 home", 1))

    context = RunContext(database, "night-0", "test", source="carefirst")
    collect(database)
    assert check.run(context).state is RunState.DONE
    assert rows(database, HELD) == [
        {"dataset": "carefirst__observation", "rule": "TXT-001"},
        {"dataset": "carefirst__service_element", "rule": "REF-001"},
    ]
    conform.run(context)
    waiting = len(rows(database, SERVICES))

    desk.release(1)
    collect(database)
    second = check.run(RunContext(database, "night-1", "test", source="carefirst"))
    conform.run(context)
    assert second.state is RunState.DONE and second.counts["quarantined"] == 0
    assert rows(database, HELD) == [], "the line came again, readable: nobody has to decide on the broken one"
    assert len(rows(database, SERVICES)) == waiting + 1
