"""A desk where a batch is spoilt and brought to SystmOne's door, and a trust whose nights go through every stage."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors import conform, stage
from connectors.base import DeliveryProblem, LandedDelivery, Past
from connectors.synthetic.split_zip import Packer, write_split_zip
from connectors.systmone.connector import SystmOneConnector
from connectors.systmone.settings import SystmOneSettings
from connectors.systmone.split_archive import ArchiveLimits
from domain.profile import Profile
from domain.run import RunContext, RunResult, RunState
from expectations import stage as check
from tests.support.survival import canonical_dump
from tests.support.systmone_world import Desk, event, record, world


def small_desk(tmp_path: Path) -> Desk:
    """A desk with a first batch of two patients delivered."""
    desk = Desk(tmp_path)
    desk.write(world([record(1), record(2)], [event(1, "visit"), event(2, "appointment")], nights=2))
    desk.release(0)
    return desk


def door(desk: Desk, limits: ArchiveLimits | None = None) -> SystmOneConnector:
    return SystmOneConnector(SystmOneSettings(desk.inbox, limits=limits or ArchiveLimits()))


def land(desk: Desk, past: Past | None = None, limits: ArchiveLimits | None = None) -> LandedDelivery:
    past = past or Past()
    (batch,) = door(desk, limits).discover(past)
    return batch.land(desk.home / "landing", past)


def refusal(desk: Desk, state: RunState = RunState.REFUSED, **how: ArchiveLimits) -> str:
    """The message with which the only batch is turned away; nothing of it may be in place."""
    with pytest.raises(DeliveryProblem) as problem:
        land(desk, **how)  # type: ignore[arg-type]
    assert problem.value.state is state
    assert problem.value.finding.remedy
    return str(problem.value)


def table(landed: LandedDelivery, name: str) -> list[dict[str, object]]:
    (found,) = [t for t in landed.tables if t.dataset == f"systmone__{name}"]
    return pq.read_table(found.parquet).to_pylist()


def notes(landed: LandedDelivery) -> dict[str, str]:
    return {f.code: f.message for f in (*landed.findings, *(f for t in landed.tables for f in t.findings))}


CANARY = "Zzcanary"
Members = dict[str, bytes]


class Trust:
    """A council whose trust sends a bulk and two deltas: of three patients, each changed or seen on a later night."""

    def __init__(self, profile: Profile) -> None:
        self.profile, self.desk = profile, Desk(profile.home)
        records = [
            record(1, fields={"forename": CANARY}),
            record(2, fields={"forename": CANARY}, later={1: {"surname": "Marlow"}}),
            record(3, fields={"forename": CANARY}, later={2: {"surname": "Marlow"}}),
        ]
        events = [event(1, "visit"), event(2, "appointment", of=2), event(3, "visit", of=3, night=1)]
        self.desk.write(world(records, [*events, event(4, "visit", of=3, night=2)], nights=2))
        self.desk.release(0)

    def options(self, **options: str) -> None:
        source = self.profile.source("systmone")
        self.profile = replace(self.profile, sources=(replace(source, options={**source.options, **options}),))

    def land(self) -> RunResult:
        return stage.run(self._context)

    def night(self) -> RunResult:
        """Land, check and conform; the result of landing."""
        landed = self.land()
        assert [step.run(self._context).state for step in (check, conform)] == [RunState.DONE] * 2
        return landed

    def dump(self) -> dict[str, list[str]]:
        return canonical_dump(self.profile, "systmone")

    def bring(self, name: str, members: Members) -> None:
        """A batch under a name of the test's own."""
        write_batch(self.desk.inbox / name, members)

    @property
    def _context(self) -> RunContext:
        return RunContext(self.profile, "night", "test", source="systmone")


def write_batch(folder: Path, members: Members) -> None:
    """Put files into a delivery folder as one split archive."""
    packed = []
    for name, content in members.items():
        packer = Packer(f"{name}.csv")
        packer.write(content)
        packed.append(packer.close())
    folder.mkdir(exist_ok=True)
    write_split_zip(folder, "SRExtract", packed, 60_000)


def columns(text: bytes, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """A file with the fields of every line changed, its header's too."""
    lines = text.split(b"\r\n")[:-1]
    return b"\r\n".join([b",".join(change(line.split(b","))) for line in lines] + [b""])


def windows(members: Members, since: bytes | None = None, until: bytes | None = None) -> Members:
    """The batch with another extract window in its manifest (`yyyyMMdd_HHmm`)."""
    ends = sorted(set(re.findall(rb'"(\d{8}_\d{4})"', members["SRManifest"])))
    told = members["SRManifest"]
    if until is not None:
        told = told.replace(ends[-1], until)
    if since is not None:
        told = told.replace(ends[0], since)
    return {**members, "SRManifest": told}


def full_extract(bulk: Members, delta: Members) -> Members:
    """What a full extract at the end of the delta's window holds: the bulk's rows, and the delta's in their place."""

    def merged(old: bytes, new: bytes) -> bytes:
        head, *lines = old.split(b"\r\n")[:-1]
        told = {line.split(b",", 1)[0]: line for line in (*lines, *new.split(b"\r\n")[1:-1])}
        return b"\r\n".join([head, *told.values(), b""])

    whole = {name: merged(bulk[name], delta[name]) if name in bulk else text for name, text in delta.items()}
    whole |= {name: delta[name] for name in ("SRMapping", "SRMappingGroup")}
    manifest = columns(delta["SRManifest"], lambda fields: [*fields[:1], *_as_bulk(fields)])
    return {**whole, "SRManifest": manifest}


def _as_bulk(fields: list[bytes]) -> list[bytes]:
    if b"IsDelta" in fields[1]:
        return fields[1:]
    return [b'"N"', fields[2], b'""', *fields[4:]]


def renamed(archive: bytes, old: bytes, new: bytes) -> bytes:
    """The archive with an entry renamed everywhere; a change of length moves all that follows."""
    shift = len(new) - len(old)
    end = archive.rindex(b"PK\x05\x06")
    directory_at = struct.unpack_from("<L", archive, end + 16)[0]
    local = archive.index(old) - 30
    head = bytearray(archive[:directory_at].replace(old, new, 1))
    head[local + 26 : local + 28] = struct.pack("<H", len(new))
    directory, place = bytearray(), directory_at
    while archive[place : place + 4] == b"PK\x01\x02":
        size = struct.unpack_from("<H", archive, place + 28)[0]
        entry = bytearray(archive[place : place + 46])
        name = archive[place + 46 : place + 46 + size]
        offset = struct.unpack_from("<L", entry, 42)[0]
        if offset > local:
            struct.pack_into("<L", entry, 42, offset + shift)
        if name == old:
            name = new
            struct.pack_into("<H", entry, 28, len(new))
        directory += entry + name
        place += 46 + size
    record = bytearray(archive[end:])
    struct.pack_into("<LL", record, 12, len(directory), len(head))
    return bytes(head + directory + record)
