"""MRG-001: pointers from merged records lead to a record that is left, never in a circle (sources 6.2, 16.14)."""

from expectations.rule import Condition, Example, Lookup, Place, Rule, Use
from governance.sql import identifier


def condition(use: Use, place: Place) -> Condition:
    own, points_to = use.names(2)
    tables = place.staged.get(place.dataset) or (place.dataset,)
    rows = " union all ".join(
        f"select btrim({own}) as own, btrim({points_to}) as other from staging.{identifier(table)}" for table in tables
    )
    # Every record somebody can be led to from a pointer; a set, so that a circle ends the search by itself.
    query = (
        f"with recursive pointer as (select own, other from ({rows}) r where other <> ''), reached as ("
        "select own, other from pointer union select r.own, p.other from reached r join pointer p on p.own = r.other) "
        "select distinct r.own as key from reached r "
        "where exists (select from reached c where c.own = r.other and c.other = r.other)"
    )
    lookup = Lookup(use.alias, query, f"btrim({own})")
    return Condition(lookup.found, (lookup,))


_FIELDS = ("client_no", "xref_client_no")


def _row(own: str, other: str | None, breaks: bool) -> Example:
    return Example({"client_no": own, "xref_client_no": other}, breaks, _FIELDS)


RULE = Rule(
    code="MRG-001",
    text="A merged record points to the record that is left, over any number of steps, and never back to itself.",
    severity="warn",
    why="In a circle no record is left: each would be taken for a duplicate of the next, and the person be lost.",
    remedy="Decide in the source system which record is left and empty its pointer; until then all stay as they are.",
    affects="Counts of people; linkage has to find these duplicates by their details.",
    condition=condition,
    examples=(
        _row("A1", "A2", False),
        _row("A2", "A3", False),
        _row("A3", None, False),
        _row("B1", "B2", True),
        _row("B2", "B3", True),
        _row("B3", "B2", True),
        _row("C1", "C1", True),
        _row("D1", "elsewhere", False),
    ),
)
