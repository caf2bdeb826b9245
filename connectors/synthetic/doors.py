"""Every supplier's simulated door, by the name of its system: what writes a council's supply and lets a night arrive.

Suppliers of files `release` a night into an inbox; suppliers of databases rebuild theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from connectors.synthetic.setting import Setting
from connectors.synthetic.world import World

#: Systems that are read as databases; their door has `rebuild_mart(supply, night, admin_url)` instead of `release`.
DATABASES: Final = ("liquidlogic", "controcc")


def door_names(setting: Setting) -> tuple[str, ...]:
    """The doors of a council: its systems, and the cross-reference file where one system replaces another."""
    return (*setting.systems, *(("cross_reference",) if setting.cutover else ()))


def write_supply(world: World, supply: Path) -> Iterator[str]:
    """Write every night of every door below `supply`; yields each door's name before it is written."""
    for name in door_names(world.setting):
        yield name
        _door(name).write(world, supply)


def deliver_night(setting: Setting, supply: Path, night: int, inbox: Path, databases: Mapping[str, str]) -> None:
    """Let every supplier of the council do its night's work.

    `databases` are the administrators' addresses of the simulated databases by system.
    """
    for name in door_names(setting):
        if name in DATABASES:
            _door(name).rebuild_mart(supply, night, databases[name])
        else:
            _door(name).release(supply, night, inbox)


def _door(name: str) -> Any:
    return import_module(f"connectors.synthetic.{name}")
