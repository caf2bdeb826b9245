"""Writes `docs/rehearsals.md` from the summaries of rehearsed councils: `python -m onestory.scoring.page HOME …`.

One column a council, one line a defect: injected, found, rightly left alone, missed; and what the nights cost.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_PAGE = Path("docs/rehearsals.md")
_HEAD = """# Rehearsals: whole councils, ninety nights each

The kinds of council of the programme papers, as far as they stand below, were carried through their nights by Airflow,
with every file fault of D91 once and every defect of the catalogue at its rate, each logged with its id. Made by

    onestory demo --setting <kind> --nights 90 --scale {scale} --home <folder>       # for each kind
    python -m onestory.scoring.page <folder> …                                       # this page

*Found*: a rule flags the row, it is held or excluded, its record waits for a person, or the delivery was held or
reported. *Left alone*: the defect needs no finding and did no harm – the record belongs to the right person, the event
is told as it was. *Missed*: neither. What the tables rest on: `onestory/scoring/`.
"""


def write_page(homes: list[Path], page: Path = _PAGE) -> None:
    """Write the page from `summary.json` and `synth.json` of each home; FileNotFoundError when one was not carried."""
    councils = {}
    for home in homes:
        made = json.loads((home / "synth.json").read_text(encoding="utf-8"))
        councils[made["setting"]] = (made, json.loads((home / "summary.json").read_text(encoding="utf-8")))
    scale = next(iter(councils.values()))[0]["scale"]
    parts = [_HEAD.format(scale=scale), _nights(councils), _defects(councils), _notes(councils)]
    page.write_text("\n".join(parts), encoding="utf-8")


def _nights(councils: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> str:
    lines = [
        "\n## The nights\n",
        "| council | files | rows read | loaded | unchanged | repeated | held | excluded | missing | people | "
        "precision | recall | tasks done | failed | canaries |",
        "| --- |" + " ---: |" * 14,
    ]
    for name, (_, facts) in councils.items():
        total = {
            column: sum(account[column] for account in facts["accounts"])
            for column in ("files", "read", "loaded", "unchanged", "repeated", "held", "excluded")
        }
        missing = total["read"] - sum(v for k, v in total.items() if k not in ("files", "read"))
        tasks, quality = facts["airflow_tasks"], facts["quality"]
        failed = sum(count for state, count in tasks.items() if state != "success")
        figures = [*total.values(), missing, facts["people"]]
        lines.append(
            f"| {name.replace('_', ' ')} | {' | '.join(f'{n:,}' for n in figures)} | {quality['precision']:.4f} | "
            f"{quality['recall']:.4f} | {tasks.get('success', 0):,} | {failed} | {len(facts['leaks']) or 'none'} |"
        )
    lines.append(
        "\nA task fails where the fault of a night holds its source; the data follow when the fault is gone. *Missing* "
        "is the ledger's difference over every file and table; *canaries* are places that hold one and should not.\n"
    )
    return "\n".join(lines)


def _defects(councils: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> str:
    names = list(councils)
    what: dict[str, str] = {}
    by_defect: dict[str, dict[str, dict[str, Any]]] = {}
    for name, (_, facts) in councils.items():
        for line in facts["defects"]:
            what[line["defect"]] = line["what"]
            by_defect.setdefault(line["defect"], {})[name] = line
    lines = [
        "## The defects\n",
        "Each cell: injected = found + left alone + missed.\n",
        "| id | defect | " + " | ".join(name.replace("_", " ") for name in names) + " |",
        "| --- | --- |" + " ---: |" * len(names),
    ]
    for defect in sorted(by_defect):
        cells = [_cell(by_defect[defect].get(name)) for name in names]
        lines.append(f"| {defect} | {what[defect]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(line: dict[str, Any] | None) -> str:
    if line is None:
        return "–"
    return f"{line['injected']:,} = {line['found']:,} + {line['left_alone']:,} + {line['missed']:,}"


def _notes(councils: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> str:
    lines = ["## The return of each council\n", "| council | status | rows | errors | unexplained differences |"]
    lines.append("| --- | --- | ---: | ---: | ---: |")
    for name, (_, facts) in councils.items():
        prepared = facts["return"]
        off = sum(line["unexplained"] for line in prepared.get("against_truth", {}).values())
        lines.append(
            f"| {name.replace('_', ' ')} | {prepared.get('status', 'not prepared').replace('_', ' ')} | "
            f"{prepared['rows']:,} | {prepared['errors']:,} | {off} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write_page([Path(home) for home in sys.argv[1:]])
