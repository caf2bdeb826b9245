"""Whether a supplier's code is in the mapping (`landing.code_map`), compared trimmed and in capitals."""

from __future__ import annotations

from expectations.rule import Condition, Lookup, Place, Use, any_of, literal, present


def unknown_code_condition(use: Use, place: Place) -> Condition:
    """True when a filled code is not in the code set. A code set without any entry is not judged: it is not loaded.

    The option `like`, a pattern, says which codes of a column of many sorts the code set is about.
    """
    where = f"source = {literal(place.supplier)} and code_set = {literal(use.option('code_set'))}"
    lookups = tuple(
        Lookup(f"{use.alias}_{n}", f"select raw as key from landing.code_map where {where}", f"upper(btrim({name}))")
        for n, name in enumerate(use.names())
    )
    loaded = f"exists (select from landing.code_map where {where})"
    like = str(use.options.get("like", ""))
    unknown = [
        f"{present(n)} and not {at.found}" + (f" and upper(btrim({n})) ~ {literal(like)}" if like else "")
        for n, at in zip(use.names(), lookups, strict=True)
    ]
    return Condition(f"({any_of(unknown)} and {loaded})", lookups)
