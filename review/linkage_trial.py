"""The report of a linkage trial as one page that needs nothing else: no script, no outside font, no value of a person."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write(summary: Mapping[str, Any], path: Path) -> Path:
    """Write the page to `path` and return it."""
    path.write_text(f"<!doctype html><title>{summary['kind']}</title>", encoding="utf-8")
    return path
