"""Whether the record a row names is known: in landing now, or accepted earlier in the same delivery."""

from __future__ import annotations

from expectations.rule import Condition, Lookup, Place, Use, present
from governance.sql import identifier


def orphan_condition(use: Use, place: Place) -> Condition:
    """True when the fields name a parent nobody knows. Missing ids (-1, 0, empty) name nobody: they are not orphans.

    The option `parent` names the dataset; `by` its field when it is not found by its key.
    """
    parent = identifier(use.option("parent"))
    fields = use.names()
    by = identifier(str(use.options.get("by", "row_key")))
    key = " || '|' || ".join(f"coalesce({name}, '')" for name in fields)
    query = f"select {by} as key from landing.{parent} where known_to is null and not is_removed"
    if by == "row_key":
        query += place.only_named(key)
    for table in place.staged.get(parent, ()):
        # What is held or excluded in the same delivery is marked already: such rows are no parents.
        query += f" union select {by} from staging.{identifier(table)} where disposition is null"
    if " union " not in query and by != "row_key":
        query = query.replace("select ", "select distinct ", 1)
    lookup = Lookup(use.alias, query, key)
    return Condition(f"({present(fields[0])} and not {lookup.found})", (lookup,))
