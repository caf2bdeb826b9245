"""File against specification: which column feeds which field, and what is new, missing, renamed or moved (F27 to F30).

`columns_by_field` is the one door every reader uses. It follows what it knows (dated layouts, decisions of people),
holds the delivery where a person can decide, and refuses where nothing can be done. Headings may be named in messages
where they look like headings; values never.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.base import DeliveryProblem, refused
from connectors.likeness import Suggestion, best_suggestions
from connectors.mapping import Decisions, decisions_in_force
from connectors.registry import SUPPLIERS
from connectors.spec import Layout, TableSpec, table_specs
from domain.run import Finding, RunState

#: Positions of columns nobody specified are returned under this mark and their heading; the writer keeps them aside.
SIDE = "side:"

_HEADING = re.compile(r"[A-Za-z][A-Za-z0-9 _./()#%&-]{0,63}")
_NUMBERS = re.compile(r"\d{4}|\d\d/\d\d")


class ColumnQuestion(DeliveryProblem):
    """A delivery held until a person decides about headings; `suggestions` is what they are asked."""

    def __init__(self, finding: Finding, suggestions: tuple[Suggestion, ...]) -> None:
        self.suggestions = suggestions
        super().__init__(RunState.HELD, finding)


@dataclass(frozen=True, slots=True)
class Fit:
    """A file's headings under the specification: `names` are the headings with decided ones replaced by columns."""

    names: tuple[str, ...]
    layout: Layout

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.layout.columns if c.name not in self.names)

    @property
    def needed(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.layout.columns if c.required and c.name not in self.names)

    @property
    def unknown(self) -> tuple[str, ...]:
        known = {c.name for c in self.layout.columns}
        return tuple(name for name in self.names if name not in known)


def columns_by_field(
    header: Sequence[str],
    spec: TableSpec,
    decisions: Decisions | None = None,
    samples: Mapping[str, Sequence[str | None]] | None = None,
) -> tuple[dict[str, int], tuple[Finding, ...]]:
    """The position of each field's column in the file, and findings for a person.

    Columns are taken by name, by the newest layout that fits the header. A heading that a person has decided about
    (`decisions`; those in force unless given) stands for its column. Unknown columns have a position too, under
    `SIDE` + heading: the landed table's writer keeps them aside; they are told until somebody has reviewed them.
    Missing optional ones are reported. `samples` (heading to some values) sharpen a suggestion; they appear nowhere.

    Raises:
        DeliveryProblem: held, when a mandatory column is missing and another heading may be it (`ColumnQuestion`);
            refused, when one is missing and nothing looks like it, when a heading appears twice, or when the first line
            is no header.
    """
    headings = [name.strip() for name in header]
    decisions = decisions if decisions is not None else decisions_in_force()
    fit = fitting(headings, spec, decisions)
    if fit.needed:
        raise _missing(headings, fit, spec, decisions, samples or {})
    places = {name: place for place, name in enumerate(fit.names)}
    fields = {c.field: places[c.name] for c in fit.layout.columns if c.name in places}
    aside = {f"{SIDE}{name}": places[name] for name in fit.unknown}
    return fields | aside, tuple(_findings(headings, fit, spec, decisions))


def fitting(headings: Sequence[str], spec: TableSpec, decisions: Decisions) -> Fit:
    """The layout a header follows: the newest that it fills, else the newest whose mandatory columns it has, else the
    one it comes nearest to. Raises `DeliveryProblem` (refused) when a heading appears twice.
    """
    stand_in = decisions.stand_in(spec.table)
    names = tuple(stand_in[name] if name in stand_in and stand_in[name] not in headings else name for name in headings)
    if len(set(names)) != len(names):
        raise refused(
            "DUPLICATE_HEADING", f"{spec.table}: a heading appears more than once", "ask the supplier for the layout"
        )
    fits = [Fit(names, layout) for layout in reversed(spec.history)]
    return min(
        fits, key=lambda fit: (len(fit.needed), len(fit.missing) + len(fit.unknown))
    )  # the first of equals is the newest


def refuse_another_system(headings: Sequence[str], spec: TableSpec) -> None:
    """Raises `DeliveryProblem` (refused) when most headings are those of one table of another supplier (F18)."""
    words = {w for heading in headings for w in re.split(r"[^A-Za-z0-9_]+", heading) if w}  # whatever the delimiter
    found = [
        (len(words & {c.name for c in other.columns}), f"{other.table} of {supplier}")
        for supplier in SUPPLIERS
        if supplier != spec.dataset.split("__")[0]
        for other in table_specs(supplier).values()
    ]
    shared, name = max(found, default=(0, ""))
    if shared >= 3 and shared * 2 > len(words):
        raise refused(
            "OTHER_SYSTEM",
            f"{spec.table}: the headings are those of {name}",
            "nothing was loaded; find out who put it into this folder, and tell the supplier",
        )


def shown(heading: str) -> str:
    """A heading as a message may show it; what does not look like one (a line of data, say) is not shown."""
    return heading if _HEADING.fullmatch(heading) and not _NUMBERS.search(heading) else "(not a plain heading)"


def _missing(
    headings: Sequence[str],
    fit: Fit,
    spec: TableSpec,
    decisions: Decisions,
    samples: Mapping[str, Sequence[str | None]],
) -> DeliveryProblem:
    if len(fit.unknown) == len(fit.names):
        refuse_another_system(headings, spec)
        return refused(
            "NO_HEADER",
            f"{spec.table}: none of the {len(fit.names)} headings is known; the first line may not be a header",
            "ask the supplier for the agreed layout; nothing of the line is shown here, it may be a person's",
        )
    source = decisions.source or spec.dataset.split("__")[0]
    found = best_suggestions(source, fit.names, fit.needed, fit.layout, spec, samples)
    if len(found) < len(fit.needed):
        new = f" (new here: {', '.join(shown(name) for name in fit.unknown)})" if fit.unknown else ""
        return refused(
            "MISSING_COLUMN",
            f"{spec.table}: mandatory column {', '.join(fit.needed)} is missing{new}",
            "ask the supplier whether it was renamed; if it was, say so with `onestory drift accept`, and it loads",
        )
    told = "; ".join(f"{s.column} is missing and {shown(s.heading)} may be it ({s.evidence})" for s in found)
    asked = " and ".join(f"`onestory drift accept {s.source} {s.table} '{shown(s.heading)}' {s.column}`" for s in found)
    finding = Finding(
        "COLUMN_RENAMED",
        f"{spec.table}: {told}",
        f"if that is right: {asked}, and it loads by itself; if not, ask the supplier",
    )
    return ColumnQuestion(finding, found)


def _findings(headings: Sequence[str], fit: Fit, spec: TableSpec, decisions: Decisions) -> list[Finding]:
    findings = []
    stood_in = [(was, name) for was, name in zip(headings, fit.names, strict=True) if was != name]
    if stood_in:
        told = ", ".join(f"{shown(was)} as {name}" for was, name in stood_in)
        findings.append(Finding("MAPPED_COLUMN", f"{spec.table}: taken by a person's decision: {told}"))
    if fit.missing:
        findings.append(
            Finding(
                "OPTIONAL_COLUMN_MISSING",
                f"{spec.table}: no column {', '.join(fit.missing)}",
                "its fields stay empty; tell the owner of the extract",
            )
        )
    unreviewed = [shown(name) for name in fit.unknown if (spec.dataset, shown(name)) not in decisions.reviewed]
    if unreviewed:
        findings.append(
            Finding(
                "UNKNOWN_COLUMN",
                f"{spec.table}: new column {', '.join(unreviewed)} was kept aside, not loaded",
                "review the impact assessment, then add it to the specification of the table, or say why not with "
                "`onestory drift reviewed`",
            )
        )
    expected = [c.name for c in fit.layout.columns if c.name in fit.names]
    if expected != [name for name in fit.names if name not in fit.unknown]:
        findings.append(Finding("COLUMN_ORDER", f"{spec.table}: columns moved; they were taken by name"))
    return findings
