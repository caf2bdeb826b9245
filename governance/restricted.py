"""The versioned list of legally restricted facts: codes, services and terms (governance SEN-1, SEN-3).

The national minimum comes with OneStory (`restricted_codes.yml`); a council's own page of the same shape adds to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from domain.pages import parse
from domain.profile import Profile, ProfileError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

PAGE: Final = "restricted_codes.yml"


@dataclass(frozen=True, slots=True)
class RestrictedFacts:
    """What makes a row restricted. `version` names the list, with `+` when the council added to it."""

    version: str
    codes: frozenset[str]
    services: frozenset[str]
    terms: tuple[str, ...]

    def coded(self, values: pa.Array) -> np.ndarray[Any, Any]:
        """Which of a column's codes are on the list; blanks at the ends and letter case do not count."""
        import pyarrow as pa
        import pyarrow.compute as pc

        listed = pa.array(sorted(self.codes), pa.string())
        return pc.is_in(_plain(values), value_set=listed).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]

    def named(self, values: pa.Array) -> np.ndarray[Any, Any]:
        """Which of a column's names are a listed service, or contain a listed term."""
        import pyarrow as pa
        import pyarrow.compute as pc

        text = _plain(values)
        found = pc.is_in(text, value_set=pa.array(sorted(self.services), pa.string()))
        if self.terms:
            pattern = "|".join(re.escape(term) for term in self.terms)
            found = pc.or_(found, pc.match_substring_regex(text, pattern))
        return found.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def restricted_facts(profile: Profile) -> RestrictedFacts:
    """The list for one council: the national minimum and what its own page adds.

    Raises:
        ProfileError: when the council's page cannot be read as such a list.
    """
    own = profile.secret_file.parent / PAGE
    return _facts(own, own.stat().st_mtime_ns if own.is_file() else None)


@cache
def _facts(own: Path, changed: int | None) -> RestrictedFacts:
    pages = [parse((files("governance") / PAGE).read_text(encoding="utf-8"))]
    if changed is not None:
        pages.append(parse(own.read_text(encoding="utf-8")) or {})
    try:
        return RestrictedFacts(
            version=str(pages[0]["version"]) + ("+" if len(pages) > 1 else ""),
            codes=frozenset(
                _text(entry[key])
                for page in pages
                for part, key in (("reference_sets", "id"), ("codes", "code"))
                for entry in page.get(part) or ()
            ),
            services=frozenset(_text(e["name"]) for page in pages for e in page.get("services") or ()),
            terms=tuple(sorted({_text(e["term"]) for page in pages for e in page.get("terms") or ()})),
        )
    except (KeyError, TypeError, AttributeError):
        raise ProfileError(f"{own}: not a list of restricted facts; copy the shape of governance/{PAGE}") from None


def entries() -> Mapping[str, Any]:
    """The list as it comes with OneStory, for guides and for the simulators of synthetic councils."""
    page: Mapping[str, Any] = parse((files("governance") / PAGE).read_text(encoding="utf-8"))
    return page


def _text(value: object) -> str:
    return str(value).strip().upper()


def _plain(values: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    return pc.utf8_upper(pc.utf8_trim_whitespace(pc.fill_null(values, "")))
