"""One council's settings, typed and checked before any data is touched.

A profile is a YAML file; secrets and database passwords come from the environment only (or from files the environment
names). Facts about one council live here and nowhere in shared code.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

ROLES = ("loader", "linker", "publisher", "returns_officer", "analyst", "auditor")


class ProfileError(ValueError):
    """The profile cannot be used: says which setting, in which file, and what it should be."""


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How one source is reached: `options` are the connector's own settings (folder, url variable, weekday …)."""

    name: str
    connector: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Profile:
    """A council as OneStory knows it. All paths are absolute once loaded."""

    path: Path
    name: str
    la_code: str
    synthetic: bool  # only a synthetic council may hold 9… NHS numbers
    home: Path  # landing area, returns, reports
    warehouse_url: str  # libpq form without user and password: postgresql:///name?host=…
    reporting_period: tuple[date, date]
    sources: tuple[SourceSettings, ...]
    secret_file: Path  # 32 random bytes, mode 0600; keys for quarantine and person ids come from it
    flows: Path | None = None  # folder of the flow register; without one no agreement is asked for
    exchanges: tuple[SourceSettings, ...] = ()  # national services we ask: number tracing, the opt-out check

    def source(self, name: str) -> SourceSettings:
        for source in self.sources:
            if source.name == name:
                return source
        known = ", ".join(s.name for s in self.sources)
        raise ProfileError(f"{self.path}: no source called {name!r}; the profile has: {known}")

    def exchange(self, name: str) -> SourceSettings:
        """How a national service is reached. Raises `ProfileError` when the council does not use it."""
        for exchange in self.exchanges:
            if exchange.name == name:
                return exchange
        raise ProfileError(f"{self.path}: exchanges has no {name}; say there how the service is reached")

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def returns(self) -> Path:
        return self.home / "returns"

    @property
    def reports(self) -> Path:
        return self.home / "reports"


def load_profile(path: Path) -> Profile:
    """Read and check a profile.

    `${NAME}` in any text is replaced from the environment. Raises `ProfileError` when a setting is missing or of the
    wrong kind.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProfileError(f"{path}: no such profile; make one with `onestory synth` or copy an example") from None
    if not isinstance(raw, dict):
        raise ProfileError(f"{path}: a profile is a YAML mapping of settings")
    try:
        return _from_mapping(path.resolve(), _with_environment(raw, path))
    except KeyError as missing:
        raise ProfileError(f"{path}: the setting {missing} is missing") from None


def _from_mapping(path: Path, raw: Mapping[str, Any]) -> Profile:
    la_code = str(raw["la_code"])
    if not (len(la_code) == 3 and la_code.isdigit()):
        raise ProfileError(f"{path}: la_code is the three-digit CASSR code, in quotes")
    start, end = raw["reporting_period"]["start"], raw["reporting_period"]["end"]
    if not (isinstance(start, date) and isinstance(end, date) and start < end):
        raise ProfileError(f"{path}: reporting_period needs start and end dates, start first (2025-04-01)")
    home = (path.parent / str(raw.get("home", "."))).resolve()
    sources = tuple(_reached(name, settings, settings["connector"]) for name, settings in raw["sources"].items())
    exchanges = tuple(_reached(name, settings or {}, name) for name, settings in (raw.get("exchanges") or {}).items())
    return Profile(
        path=path,
        name=str(raw["name"]),
        la_code=la_code,
        synthetic=bool(raw.get("synthetic", False)),
        home=home,
        warehouse_url=str(raw["warehouse_url"]),
        reporting_period=(start, end),
        sources=sources,
        secret_file=(home / str(raw.get("secret_file", "secret.key"))).resolve(),
        flows=(home / str(raw["flows"])).resolve() if raw.get("flows") else None,
        exchanges=exchanges,
    )


def _reached(name: str, settings: Mapping[str, Any], connector: Any) -> SourceSettings:
    return SourceSettings(name, str(connector), {k: str(v) for k, v in settings.items() if k != "connector"})


def _with_environment(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {k: _with_environment(v, path) for k, v in value.items()}
    if isinstance(value, list):
        return [_with_environment(v, path) for v in value]
    if isinstance(value, str) and "${" in value:
        expanded = os.path.expandvars(value)
        if "${" in expanded:
            raise ProfileError(f"{path}: {value!r} names an environment variable that is not set")
        return expanded
    return value
