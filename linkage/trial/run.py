"""An analyst's trial from cleaned columns to links: one way for all files, every choice made without a truth.

Two rounds: the first learns a model and groups the records; the second counts name frequencies over those groups, so
that they mean people, learns again and decides. The same files and seed give the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from linkage.trial.roles import Roles

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[str, float | None], None]


@dataclass(frozen=True, slots=True)
class TrialSettings:
    """How a trial is run. `cut` None: the default of the way of linking; `model`: used instead of learning."""

    cut: float | None = None
    model: Mapping[str, Any] | None = None
    one_to_one: bool | None = None
    seed: int = 1
    memory_limit: str = "4GB"
    threads: int = 2
    use_identifiers: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial found.

    `links` has left_id, right_id, weight, rule, cluster; `clusters` has side, id, cluster; `model` is the model in
    Splink's settings format with its sidecar; `facts` is for the report and holds no value of a person.
    """

    links: pa.Table
    clusters: pa.Table
    model: Mapping[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)


def dedupe(
    table: pa.Table, roles: Roles, settings: TrialSettings = TrialSettings(), *, progress: Progress | None = None
) -> Outcome:
    """Find the records of one file that belong to the same person."""
    return _run([(table, roles)], settings, progress)


def link(
    left: pa.Table,
    right: pa.Table,
    left_roles: Roles,
    right_roles: Roles,
    settings: TrialSettings = TrialSettings(),
    *,
    progress: Progress | None = None,
) -> Outcome:
    """Link two files; one to one when neither seems to hold anybody twice, unless the settings say otherwise."""
    return _run([(left, left_roles), (right, right_roles)], settings, progress)


def _run(files: Sequence[tuple[pa.Table, Roles]], settings: TrialSettings, progress: Progress | None) -> Outcome:
    from linkage.trial.foreign import is_foreign, run_foreign
    from linkage.trial.work import Work

    if settings.model is not None and is_foreign(settings.model):
        return run_foreign(files, settings, progress)
    return Work(files, settings, progress).outcome()
