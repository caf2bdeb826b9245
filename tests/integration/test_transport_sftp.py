"""Files brought from a real OpenSSH server, and everything that goes wrong between it and us (governance 9.1)."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors import transport
from connectors.transport import Brought, bring, correct, corrections
from domain.profile import ProfileError, SourceSettings
from domain.run import RunState
from tests.support.sftp_server import SftpServer

pytestmark = pytest.mark.xdist_group("sftp")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    server = SftpServer(tmp_path_factory.mktemp("sftp")).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def server(running: SftpServer, tmp_path: Path) -> SftpServer:
    """The module's server, serving a folder of the test's own."""
    mine = replace(running)  # the running process and its keys stay those of the module
    mine.log, mine.folder = running.log, tmp_path / "outgoing"
    mine.folder.mkdir()
    return mine


class Council:
    """A profile with one source, as far as bringing files needs it."""

    def __init__(self, home: Path, **options: str) -> None:
        self.home = home
        self.landing = home / "landing"
        self.inbox = home / "inbox"
        settled = {"inbox": str(self.inbox), "stable_seconds": "0", "retry_pause": "0.01", "owner": "the trust's desk"}
        self.source = SourceSettings("carefirst", "carefirst", settled | options)

    def bring(self, secrets: dict[str, str], was_taken: bool = True, **options: str) -> Brought:
        profile = self  # bring asks a profile for its home and its path only
        self.path = self.home / "council.yml"
        source = replace(self.source, options={**self.source.options, **options})
        return bring(profile, source, secrets, lambda _: was_taken)  # type: ignore[arg-type]

    def arrived(self) -> dict[str, bytes]:
        return {str(p.relative_to(self.inbox)): p.read_bytes() for p in self.inbox.rglob("*") if p.is_file()}


@pytest.fixture
def council(server: SftpServer, tmp_path: Path) -> Council:
    return Council(tmp_path / "home", remote=server.remote, host_key=server.host_key)


def codes(brought: Brought) -> list[str]:
    return [finding.code for finding in brought.findings]


def test_files_and_folders_arrive_once_and_under_their_names(server: SftpServer, council: Council) -> None:
    (server.folder / "20260326_0200").mkdir()
    (server.folder / "20260326_0200" / "SRExtract.zip").write_bytes(b"PK\x05\x06" + bytes(700_000))
    (server.folder / "CF_PERSON_20260326.csv").write_bytes(b"A|B\n")
    first = council.bring(server.secrets)
    assert (first.state, first.files, first.findings) == (RunState.DONE, 2, ())
    assert council.arrived() == {
        "20260326_0200/SRExtract.zip": b"PK\x05\x06" + bytes(700_000),
        "CF_PERSON_20260326.csv": b"A|B\n",
    }
    for path in council.inbox.rglob("*.csv"):
        path.unlink()  # the council cleared its inbox
    assert council.bring(server.secrets).files == 0, "what was brought once is not brought again"
    assert list(server.folder.rglob("*.csv")), "nothing at the supplier is touched"


@pytest.mark.parametrize("name", ["A.csv.tmp", "A.csv.filepart", ".A.csv", "A.csv.part", ".hidden/A.csv", "A.csv~"])
def test_f05_a_file_under_a_temporary_name_is_not_seen(server: SftpServer, council: Council, name: str) -> None:
    (server.folder / name).parent.mkdir(exist_ok=True)
    (server.folder / name).write_bytes(b"half")
    assert (council.bring(server.secrets).files, council.arrived()) == (0, {})


def test_f05_a_file_still_being_written_is_left_alone_until_it_is_stable(
    server: SftpServer, council: Council, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = server.folder / "CF_PERSON_20260326.csv"
    growing.write_bytes(b"first half")

    def supplier_goes_on(_: float) -> None:
        growing.write_bytes(b"first half, second half\n")

    monkeypatch.setattr(transport.time, "sleep", supplier_goes_on)
    early = council.bring(server.secrets, stable_seconds="30")
    assert (early.files, codes(early), council.arrived()) == (0, ["STILL_WRITTEN"], {})
    monkeypatch.setattr(transport.time, "sleep", lambda _: None)
    assert council.bring(server.secrets, stable_seconds="30").files == 1
    assert list(council.arrived().values()) == [b"first half, second half\n"]


def test_f05_where_markers_are_agreed_a_file_counts_once_its_marker_is_there(
    server: SftpServer, council: Council
) -> None:
    (server.folder / "A.csv").write_bytes(b"a\n")
    assert council.bring(server.secrets, done_markers="true").files == 0
    (server.folder / "A.csv.done").touch()
    assert council.bring(server.secrets, done_markers="true").files == 1
    assert council.arrived() == {"A.csv": b"a\n"}


def test_f14_other_content_under_a_name_that_came_before_is_kept_beside_it_and_waits_for_a_person(
    server: SftpServer, council: Council
) -> None:
    name = "CF_PERSON_20260326.csv"
    (server.folder / name).write_bytes(b"first\n")
    council.bring(server.secrets)
    (server.folder / name).write_bytes(b"corrected\n")
    for _ in range(2):
        held = council.bring(server.secrets)
        assert (held.state, codes(held)) == (RunState.HELD, ["SAME_NAME_OTHER_CONTENT"])
        assert council.arrived() == {name: b"first\n"}
    assert corrections(council, council.source) == [name]  # type: ignore[arg-type]
    assert correct(council, council.source, name)  # type: ignore[arg-type]
    assert council.arrived() == {name: b"corrected\n"}
    assert council.bring(server.secrets).state is RunState.DONE
    assert not correct(council, council.source, name)  # type: ignore[arg-type]


def test_a_file_of_which_nothing_was_loaded_may_be_sent_again_under_its_name(
    server: SftpServer, council: Council
) -> None:
    (server.folder / "A.csv").write_bytes(b"")
    council.bring(server.secrets)
    (server.folder / "A.csv").write_bytes(b"whole\n")
    again = council.bring(server.secrets, was_taken=False)
    assert (again.state, codes(again), council.arrived()) == (RunState.DONE, ["SENT_AGAIN"], {"A.csv": b"whole\n"})


def test_f12_the_same_content_sent_again_under_its_name_is_no_correction(server: SftpServer, council: Council) -> None:
    import os

    (server.folder / "A.csv").write_bytes(b"a\n")
    council.bring(server.secrets)
    os.utime(server.folder / "A.csv", (1, 1))
    again = council.bring(server.secrets)
    assert (again.state, again.files, again.findings) == (RunState.DONE, 0, ())


def test_f21_a_changed_host_key_is_refused_and_there_is_no_way_around_it(
    server: SftpServer, council: Council, tmp_path: Path
) -> None:
    (server.folder / "A.csv").write_bytes(b"a\n")
    other = SftpServer(tmp_path / "other").host_key
    known = tmp_path / "home" / "known_hosts"
    known.parent.mkdir(exist_ok=True)
    known.write_text(f"[127.0.0.1]:{server.port} {other}\n")
    for pinned in ({"host_key": other}, {"host_key": "", "known_hosts": "known_hosts"}):
        refused = council.bring(server.secrets, **pinned)
        assert (refused.state, codes(refused), council.arrived()) == (RunState.REFUSED, ["HOST_KEY_CHANGED"], {})
        assert "security event" in refused.findings[0].remedy
    known.write_text(f"[127.0.0.1]:{server.port} {server.host_key}\n")
    assert council.bring(server.secrets, host_key="", known_hosts="known_hosts").files == 1


@pytest.mark.parametrize("pin", ["", "not a key"])
def test_f21_without_a_pinned_host_key_there_is_no_connection(server: SftpServer, council: Council, pin: str) -> None:
    with pytest.raises(ProfileError, match=r"host key|host_key"):
        council.bring(server.secrets, host_key=pin)


def test_f22_a_login_that_is_not_accepted_is_tried_a_few_times_with_growing_pauses_and_names_the_owner(
    server: SftpServer,
    council: Council,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    pauses: list[float] = []
    monkeypatch.setattr(transport.time, "sleep", pauses.append)
    (server.folder / "A.csv").write_bytes(b"a\n")
    stranger = SftpServer(tmp_path / "stranger").secrets
    for secrets in ({"password": "Kennwort-Kanarie"}, stranger, {}, {"private_key": "no key at all"}):
        pauses.clear()
        held = council.bring(secrets, retry_pause="2")
        assert (held.state, codes(held), council.arrived()) == (RunState.HELD, ["CREDENTIALS"], {})
        assert "the trust's desk" in held.findings[0].remedy
        assert pauses == [2, 6], "tried three times, with growing pauses"
        shown = caplog.text + repr(held)
        assert not [s for s in secrets.values() if s in shown], "no secret in a log or a message"
    assert council.bring(server.secrets).files == 1, "nothing was lost: with the right login the next run brings it"


class Cutting:
    """Between us and the server; cuts the first connection once so many bytes have come through."""

    def __init__(self, port: int, after: int) -> None:
        self.port, self.after, self.passed, self.connections = port, after, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def own_port(self) -> int:
        return int(self.listener.getsockname()[1])

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(("127.0.0.1", self.port))
            limit = self.after if self.connections == 1 else 1 << 60
            for source, target, cap in ((near, far, 1 << 60), (far, near, limit)):
                threading.Thread(target=self._pump, args=(source, target, cap), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, limit: int) -> None:
        passed = 0
        try:
            while (block := source.recv(16_384)) and passed < limit:
                target.sendall(block)
                passed += len(block)
                self.passed += len(block)
        except OSError:
            pass
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def test_f23_a_connection_lost_in_mid_transfer_shows_nothing_and_the_next_run_goes_on_where_it_stopped(
    server: SftpServer, council: Council
) -> None:
    content = bytes(range(256)) * 16_384  # 4 MiB
    (server.folder / "SRExtract.zip").write_bytes(content)
    between = Cutting(server.port, after=3_000_000)
    remote = server.remote.replace(str(server.port), str(between.own_port))
    lost = council.bring(server.secrets, remote=remote, tries="1")
    assert (lost.state, codes(lost), council.arrived()) == (RunState.HELD, ["CONNECTION_LOST"], {})
    partial = next((council.landing / "transport").rglob("*.part"))
    assert 1_000_000 < partial.stat().st_size < len(content)
    before = between.passed
    assert council.bring(server.secrets, remote=remote).files == 1
    assert council.arrived() == {"SRExtract.zip": content}
    assert between.passed - before < len(content) - 1_000_000, "what had come was not read again"
    assert not list((council.landing / "transport").rglob("*.part*"))


def test_f23_within_one_run_a_lost_connection_is_taken_up_again(server: SftpServer, council: Council) -> None:
    content = bytes(range(256)) * 16_384
    (server.folder / "SRExtract.zip").write_bytes(content)
    between = Cutting(server.port, after=2_000_000)
    brought = council.bring(server.secrets, remote=server.remote.replace(str(server.port), str(between.own_port)))
    assert (brought.state, brought.files, council.arrived()) == (RunState.DONE, 1, {"SRExtract.zip": content})
    assert between.connections == 2


def test_f23_a_partial_file_whose_original_has_changed_is_read_anew(server: SftpServer, council: Council) -> None:
    (server.folder / "A.zip").write_bytes(bytes(4_000_000))
    between = Cutting(server.port, after=2_000_000)
    council.bring(server.secrets, remote=server.remote.replace(str(server.port), str(between.own_port)), tries="1")
    (server.folder / "A.zip").write_bytes(b"quite another content")
    council.bring(server.secrets)
    assert council.arrived() == {"A.zip": b"quite another content"}


def test_a_place_that_is_not_there_is_waited_for(council: Council, server: SftpServer) -> None:
    held = council.bring(server.secrets, remote="sftp://nobody@127.0.0.1:9/away")
    assert (held.state, codes(held)) == (RunState.HELD, ["CONNECTION_LOST"])


def test_any_other_address_is_read_through_fsspec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/away/20260326_0200/A.csv", b"a\n")
    memory.pipe("/away/B.csv.tmp", b"half")
    there = tmp_path / "there"
    (there / "20260326_0200").mkdir(parents=True)
    (there / "20260326_0200" / "A.csv").write_bytes(b"a\n")
    for number, remote in enumerate(("memory://away", f"file://{there}")):
        council = Council(tmp_path / f"home-{number}", remote=remote)
        assert council.bring({}).files == 1
        assert council.arrived() == {"20260326_0200/A.csv": b"a\n"}
        assert council.bring({}).files == 0
    with pytest.raises(ProfileError):
        council.bring({}, remote="nosuchthing://x")


def test_without_a_remote_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert Council(tmp_path).bring({}) == Brought()


def test_the_state_of_a_place_holds_names_sizes_and_hashes_only(server: SftpServer, council: Council) -> None:
    (server.folder / "A.csv").write_bytes(b"Kanarie\n")
    council.bring(server.secrets)
    state = json.loads((council.landing / "transport" / "carefirst" / "brought.json").read_text())
    assert set(state) == {"A.csv"} and set(state["A.csv"]) == {"size", "changed", "sha256", "waiting"}
