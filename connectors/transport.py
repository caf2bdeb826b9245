"""Brings a source's new files from where its supplier leaves them into the local inbox, before anything looks at it.

Connectors only ever read the inbox, and a file appears there when it is whole: it is written elsewhere, continued after
a lost connection, and then renamed. A file under a name that came before, with other content, is kept beside the first
and waits for a person (F14). Without a `remote` option there is nothing to do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from connectors.landing import sha256_of
from connectors.remote import Look, Remote, RemoteProblem, open_remote
from domain.profile import Profile, ProfileError, SourceSettings
from domain.run import Finding, RunResult, RunState

#: Names that suppliers' tools give to files they are still writing.
_TEMPORARY = re.compile(r"(?i).*\.(?:tmp|temp|part|partial|filepart|crdownload|swp|writing)|.*~")
_MARKER = ".done"
_DISTRUSTED = 1 << 16
_SAFE = re.compile(r"[^\x00-\x1f\x7f\\:]+")


@dataclass(frozen=True, slots=True)
class Brought:
    """How bringing ended: `done`, or `held`/`refused` by what the findings say. `files` new ones are in the inbox."""

    state: RunState = RunState.DONE
    files: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """How a source's place is read; see `settings_of`."""

    inbox: Path
    work: Path  # state, partial files and corrections; never looked at by a connector
    owner: str
    stable_seconds: float
    tries: int
    pause: float
    done_markers: bool


def settings_of(profile: Profile, source: SourceSettings) -> TransportSettings:
    """The transport's options of a source.

    `inbox`; `owner` (who is told when the login fails); `stable_seconds` (between two looks at a new file, default 30;
    0 for places where files appear whole); `tries` and `retry_pause` (3, and 2 seconds growing threefold);
    `done_markers` (`true`: a file counts only once `<name>.done` is beside it).
    """
    options = source.options
    try:
        return TransportSettings(
            profile.home / options["inbox"],
            profile.landing / "transport" / source.name,
            options.get("owner", "the owner of the source"),
            float(options.get("stable_seconds", "30")),
            int(options.get("tries", "3")),
            float(options.get("retry_pause", "2")),
            options.get("done_markers", "false").lower() == "true",
        )
    except (KeyError, ValueError) as problem:
        raise ProfileError(
            f"{profile.path}: sources.{source.name}: a transport setting is missing or wrong: {problem}"
        ) from None


def bring(
    profile: Profile,
    source: SourceSettings,
    secrets: Mapping[str, str],
    was_taken: Callable[[str], bool] = lambda _: True,
) -> Brought:
    """Mirror new files of `source` into its inbox.

    `was_taken` says whether a file of that SHA-256 has been landed: only such a one is not replaced by other content
    under its name without a person. Returns how it ended; what could be brought is in the inbox even when a later file
    could not. Raises `ProfileError` when the settings cannot be used.
    """
    if not source.options.get("remote"):
        return Brought()
    settings = settings_of(profile, source)
    settings.inbox.mkdir(parents=True, exist_ok=True)
    settings.work.mkdir(parents=True, exist_ok=True, mode=0o700)
    told = _Told(was_taken)
    for attempt in range(settings.tries):
        try:
            with open_remote(source, secrets, profile.home) as remote:
                _mirror(remote, settings, source.name, told)
            break
        except RemoteProblem as problem:
            if not problem.again or attempt == settings.tries - 1:
                told.problem(problem, settings.owner)
                break
            time.sleep(settings.pause * 3**attempt)
    return Brought(told.state, told.files, tuple(told.findings))


def after_bringing(brought: Brought, landed: RunResult) -> RunResult:
    """The landing's result with what happened on the way in: the worse of both states, and both accounts."""
    order = (RunState.DONE, RunState.HELD, RunState.REFUSED)
    worse = brought.state if landed.state in order[: order.index(brought.state)] else landed.state
    counts = {**landed.counts, "brought": brought.files} if brought.files else landed.counts
    return replace(landed, state=worse, counts=counts, findings=(*brought.findings, *landed.findings))


@dataclass(slots=True)
class _Told:
    was_taken: Callable[[str], bool]
    files: int = 0
    state: RunState = RunState.DONE
    findings: list[Finding] = field(default_factory=list)

    def problem(self, problem: RemoteProblem, owner: str) -> None:
        self.state = problem.state
        remedy = f"{problem.remedy}; tell {owner}" if problem.code == "CREDENTIALS" else problem.remedy
        self.findings.append(Finding(problem.code, problem.message, remedy))

    def held(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)
            self.state = RunState.HELD if self.state is RunState.DONE else self.state


def _mirror(remote: Remote, settings: TransportSettings, source: str, told: _Told) -> None:
    state = _State(settings.work / "brought.json")
    first = dict(_wanted(remote.look(), settings))
    new = {path: look for path, look in first.items() if state.look(path) != look}
    if new and settings.stable_seconds > 0:
        time.sleep(settings.stable_seconds)
        again = remote.look()
        growing = [path for path, look in new.items() if again.get(path) != look]
        for path in growing:
            del new[path]
        if growing:
            told.findings.append(
                Finding("STILL_WRITTEN", f"{source}: {len(growing)} files are still being written and were left alone")
            )
    for path, look in sorted(new.items(), key=lambda item: (item[1].changed, item[0])):
        _bring_one(remote, path, look, settings, source, state, told)
    for path, digest in state.waiting().items():
        told.held(_correction(source, path, digest))


def _wanted(seen: Mapping[str, Look], settings: TransportSettings) -> Iterator[tuple[str, Look]]:
    """The files that are meant for us: under a final name, safe to have here, marked as done where that is agreed."""
    for path, look in seen.items():
        parts = PurePosixPath(path).parts
        is_final = not any(part.startswith(".") for part in parts) and not _TEMPORARY.fullmatch(parts[-1])
        is_safe = all(_SAFE.fullmatch(part) and part != ".." for part in parts) and not path.startswith("/")
        is_marked = not settings.done_markers or f"{path}{_MARKER}" in seen
        if is_final and is_safe and is_marked and not path.endswith(_MARKER):
            yield path, look


def _bring_one(
    remote: Remote, path: str, look: Look, settings: TransportSettings, source: str, state: _State, told: _Told
) -> None:
    part = settings.work / "partial" / f"{path}.part"
    _fetch(remote, path, look, part)
    if part.stat().st_size != look.size:
        part.unlink()  # it was written on while we read: the next run takes it whole
        told.findings.append(Finding("STILL_WRITTEN", f"{source}: a file was still being written and was left alone"))
        return
    digest = sha256_of(part)
    before = state.digest(path)
    if before and digest != before and not told.was_taken(before):
        _place(settings.inbox / path, settings.work / "replaced" / f"{path}~{before[:12]}")
        told.findings.append(Finding("SENT_AGAIN", f"{source}: {path} was sent again; nothing of the first was loaded"))
        before = ""
    if before and digest != before:
        beside = settings.work / "corrections" / f"{path}~{digest[:12]}"
        _place(part, beside)
        state.waits(path, look, digest)
        return
    if before:
        part.unlink()  # the same content again, touched or sent anew
    else:
        _place(part, settings.inbox / path)
        told.files += 1
    state.taken(path, look, before or digest)


def _fetch(remote: Remote, path: str, look: Look, part: Path) -> None:
    """Bring the file to `part`; what an earlier run kept of the very same file is continued, not read again."""
    part.parent.mkdir(parents=True, exist_ok=True)
    told = part.with_name(f"{part.name}.look")
    is_same = told.is_file() and told.read_text("utf-8") == f"{look.size} {look.changed}"
    if not is_same:
        part.unlink(missing_ok=True)
        told.write_text(f"{look.size} {look.changed}", "utf-8")
    have = part.stat().st_size if part.exists() else 0
    have = part.stat().st_size if part.exists() else 0
    start = max(0, have - _DISTRUSTED)  # the last of what a broken connection wrote is read again
    with part.open("r+b" if have else "wb") as into:
        into.seek(start)
        into.truncate()
        remote.fetch(path, into, start)
        into.flush()
        os.fsync(into.fileno())
    told.unlink()


def _place(part: Path, target: Path) -> None:
    """Put a whole file under its name in one step, whatever disk the target is on; nothing when it is gone."""
    if not part.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = target.with_name(f".{target.name}.bringing")
    try:
        part.replace(target)
    except OSError:
        shutil.copyfile(part, hidden)
        hidden.replace(target)
        part.unlink()


def _correction(source: str, path: str, digest: str) -> Finding:
    return Finding(
        "SAME_NAME_OTHER_CONTENT",
        f"{source}: {path} came before with other content; the new one is kept beside it ({digest[:12]})",
        f"ask the supplier; if it is a correction: `onestory held correct {source} '{path}' --reason … --by …`",
    )


def corrections(profile: Profile, source: SourceSettings) -> list[str]:
    """The files that wait for a person to accept them as corrections."""
    return sorted(_State(settings_of(profile, source).work / "brought.json").waiting())


def correct(profile: Profile, source: SourceSettings, path: str, *, accept: bool = True) -> bool:
    """Put a waiting correction into the inbox in place of what was there, or set it aside for good.

    Returns whether one waited. The first file stays in the landing area under its content hash; the connector judges
    the new one like any other.
    """
    settings = settings_of(profile, source)
    state = _State(settings.work / "brought.json")
    digest = state.waiting().get(path)
    if digest is None:
        return False
    if accept:
        _place(settings.work / "corrections" / f"{path}~{digest[:12]}", settings.inbox / path)
    state.decided(path, digest if accept else "")
    return True


class _State:
    """What was brought before, by path: how the file looked, its content's hash, and a correction that waits."""

    def __init__(self, page: Path) -> None:
        self._page = page
        self._entries: dict[str, dict[str, str | int]] = json.loads(page.read_text("utf-8")) if page.is_file() else {}

    def look(self, path: str) -> Look | None:
        entry = self._entries.get(path)
        return Look(int(entry["size"]), str(entry["changed"])) if entry else None

    def digest(self, path: str) -> str:
        return str(self._entries.get(path, {}).get("sha256", ""))

    def waiting(self) -> dict[str, str]:
        return {path: str(entry["waiting"]) for path, entry in self._entries.items() if entry["waiting"]}

    def taken(self, path: str, look: Look, digest: str) -> None:
        self._put(path, {"size": look.size, "changed": look.changed, "sha256": digest, "waiting": ""})

    def waits(self, path: str, look: Look, digest: str) -> None:
        self._put(path, {"size": look.size, "changed": look.changed, "sha256": self.digest(path), "waiting": digest})

    def decided(self, path: str, digest: str) -> None:
        entry = self._entries[path]
        self._put(path, entry | {"sha256": digest or entry["sha256"], "waiting": ""})

    def _put(self, path: str, entry: dict[str, str | int]) -> None:
        self._entries[path] = entry
        self._page.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._page.with_name(f".{self._page.name}")
        unfinished.write_text(json.dumps(self._entries, indent=1), "utf-8")
        unfinished.replace(self._page)
