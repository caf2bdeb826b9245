"""What a model version would change for a council, as one page for the officers who approve it.

Draws what `linkage.adoption_compare` found: counts, estimates and patterns, no value and no id of a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from review.linkage_report import bits, interval, number, words


def write(report: Mapping[str, Any], digest: str, path: Path) -> Path:
    """Write the page to `path` and return it; `digest` is what an approval has to name."""
    environment = Environment(
        loader=PackageLoader("review"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"interval": interval, "number": number, "words": words, "bits": bits}
    page = environment.get_template("model_difference.html").render(report=report, digest=digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path
