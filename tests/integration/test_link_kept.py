"""What a run keeps for the next night counts only for the run the database names; in any other case it is made anew."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_IMODE
from typing import Any

import duckdb
import pytest

from domain.profile import Profile
from domain.run import RunResult
from governance.store import Store
from linkage import inputs, kept, publish, report, stage
from tests.integration.test_link_delta import forget_the_last_run, invented
from tests.support.linkage_council import LinkageCouncil

KEYS = [f"{source}:{n}" for source in ("systmone", "liquidlogic", "carefirst") for n in range(9)]


class Nights:
    """A small council, night after night; tells whether a night read all rows or only those that differ."""

    def __init__(self, council: LinkageCouncil) -> None:
        self.council, self.chance, self.night = council, random.Random(5), 0

    @property
    def file(self) -> Path:
        return self.council.profile.home / "kept" / "linkage.duckdb"

    def change(self) -> None:
        """Another night: some records say something else, one has left, two are decided about."""
        self.council.night(self.night)
        for key in self.chance.sample(KEYS, 2) if self.night else KEYS:
            self.council.put(key, **invented(self.chance, people=9))
        if self.night:
            self.council.end(self.chance.choice(KEYS))
            self.council.refer(f"liquidlogic:{self.night}", "systmone_key", str(self.night))
            one, other = self.chance.sample(KEYS, 2)
            self.council.decide(one, other, self.chance.choice(["same", "not_same"]))
        self.night += 1

    def link(self) -> tuple[bool, RunResult]:
        """Whether everything was read, and the result."""
        with pytest.MonkeyPatch.context() as patched:
            read, all_rows = Counter[str](), inputs.read_sources

            def counted(store: Store) -> inputs.Sources:
                read["everything"] += 1
                return all_rows(store)

            patched.setattr(inputs, "read_sources", counted)
            result = self.council.link()
        return bool(read), result

    def believed(self) -> tuple[list[Any], list[Any], list[Any]]:
        return self.council.state()

    def believed_after_a_run_of_everything(self) -> tuple[list[Any], list[Any], list[Any]]:
        forget_the_last_run(self.council)
        assert self.link()[0]
        return self.believed()


@pytest.fixture
def nights(database: Profile, admin_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    # How good a run is, is measured elsewhere; here it would take most of the time.
    monkeypatch.setattr(report, "build", lambda *given: {"counts": {"people": 0, "links": 0, "reviews": 0}})
    with LinkageCouncil(database, admin_url) as council:
        small = Nights(council)
        shutil.rmtree(small.file.parent, ignore_errors=True)
        small.change()
        assert small.link()[0]
        yield small


def test_a_night_reads_only_rows_that_differ_and_believes_what_a_run_of_everything_would(nights: Nights) -> None:
    for _ in range(3):
        nights.change()
        assert not nights.link()[0]
    believed = nights.believed()
    assert nights.believed_after_a_run_of_everything() == believed


def test_a_night_of_decisions_alone_reads_no_rows(nights: Nights) -> None:
    nights.council.decide("systmone:1", "carefirst:2", "same")
    is_all, result = nights.link()
    assert (is_all, result.counts["changed_records"]) == (False, 0)
    believed = nights.believed()
    assert nights.believed_after_a_run_of_everything() == believed


def test_the_file_is_readable_by_its_owner_alone_and_lies_in_the_home_that_goes_with_the_council(
    nights: Nights,
) -> None:
    assert S_IMODE(nights.file.stat().st_mode) == 0o600
    assert S_IMODE(nights.file.parent.stat().st_mode) == 0o700
    assert [path.name for path in nights.file.parent.iterdir()] == [nights.file.name]
    assert nights.file.is_relative_to(nights.council.profile.home)


def _lose(file: Path) -> None:
    shutil.rmtree(file.parent)


def _spoil_the_beginning(file: Path) -> None:
    file.write_bytes(b"spoilt" * 1000 + file.read_bytes()[6000:])


def _spoil_the_middle(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for place in range(20_000, len(content) - 20_000, 5_000):  # every block, whatever it holds
        content[place : place + 20] = b"spoilt in the middle"
    file.write_bytes(bytes(content))


def _cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [_lose, _spoil_the_beginning, _spoil_the_middle, _cut_off, _empty])
def test_a_file_that_is_missing_or_damaged_is_made_anew(nights: Nights, damage: Callable[[Path], None]) -> None:
    damage(nights.file)
    nights.change()
    assert nights.link()[0]
    if not nights.file.exists():  # the damage was met on the way: that night kept nothing, the next one does
        nights.change()
        assert nights.link()[0]
    _is_healed(nights)


def test_a_file_of_another_model_or_program_is_made_anew(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_code", lambda: b"a later release")
    nights.change()
    assert nights.link()[0]
    _is_healed(nights)


def test_a_file_of_another_run_than_the_last_is_made_anew(nights: Nights) -> None:
    earlier = nights.file.read_bytes()
    nights.change()
    assert not nights.link()[0]
    nights.file.write_bytes(earlier)  # brought back by whoever restores files
    nights.change()
    assert nights.link()[0]
    _is_healed(nights)


def test_a_run_that_dies_between_the_database_and_the_file_is_made_good(nights: Nights) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kept.Kept, "finish", _die)
        nights.change()
        with pytest.raises(KeyboardInterrupt):
            nights.link()
    nights.change()
    assert nights.link()[0]
    _is_healed(nights)


def test_a_run_that_dies_before_it_publishes_is_made_good(nights: Nights) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(publish, "write_digests", _die)
        nights.change()
        with pytest.raises(KeyboardInterrupt):
            nights.link()
    assert nights.link()[0]
    _is_healed(nights)


def test_a_file_that_cannot_be_written_any_more_costs_a_run_of_everything_and_no_result(nights: Nights) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stage, "find_edges_near", _full_disk)
        nights.change()
        assert nights.link()[0]
    assert not nights.file.exists()
    nights.change()
    assert nights.link()[0]
    _is_healed(nights)


def test_while_another_process_has_the_file_open_nothing_is_kept_and_nothing_lost(nights: Nights) -> None:
    with duckdb.connect(str(nights.file)):
        nights.change()
        assert nights.link()[0]
    nights.change()
    assert nights.link()[0]
    _is_healed(nights)


def _die(*given: Any, **named: Any) -> None:
    raise KeyboardInterrupt


def _full_disk(*given: Any, **named: Any) -> None:
    raise duckdb.IOException("no space left on device")


def _is_healed(nights: Nights) -> None:
    """The next night reads what differs again, and all is as a run of everything would have it."""
    nights.change()
    assert not nights.link()[0]
    believed = nights.believed()
    assert nights.believed_after_a_run_of_everything() == believed
