"""Writes the page of all rules, for the person who can mend the record and the person who uses the figure.

Run as a program it brings `docs/rules/client-level-data.md` up to date; a test fails when that page is stale.
"""

from __future__ import annotations

from pathlib import Path

from statutory.client_level_data.rules.registry import rules_for

PAGE = Path("docs/rules/client-level-data.md")


def rules_page(year: str) -> str:
    """The rules of a reporting year as a page of text."""
    lines = [
        f"# Client Level Data: the rules of {year}",
        "",
        "Written from `statutory/client_level_data/rules/` by `python -m statutory.client_level_data.rules.pages`.",
        "An error spoils the row; a warning asks for a look; information is a figure to watch.",
    ]
    for rule in rules_for(year):
        lines += ["", f"## {rule.code} ({rule.level})", "", rule.text, ""]
        lines += [f"- **Why it matters**: {rule.why}", f"- **What to do**: {rule.remedy}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(rules_page("2025-26"), encoding="utf-8")
