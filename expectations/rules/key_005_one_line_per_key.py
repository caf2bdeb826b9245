"""KEY-005: of several different lines of one key in a file the last is taken, the others wait with a reason (F49)."""

from expectations.rule import Condition, Example, Lookup, Place, Rule, Use
from governance.sql import identifier


def condition(use: Use, place: Place) -> Condition:
    table = identifier(place.staged.get(place.dataset, (place.dataset,))[-1])
    names = [identifier(name) for name in place.fields]
    lines, last = (", ".join(f"{alias}.{name}" for name in names) for alias in ("s", "w"))
    query = (
        "select distinct s.landed_line::text as key "
        f"from (select row_key, max(landed_line) as last from staging.{table} where disposition is null "
        "group by row_key having count(*) > 1) several "
        f"join staging.{table} s on s.row_key = several.row_key and s.landed_line < several.last "
        f"join staging.{table} w on w.landed_line = several.last "
        f"where s.disposition is null and row({lines}) is distinct from row({last})"
    )
    lookup = Lookup(use.alias, query, "landed_line::text")
    return Condition(lookup.found, (lookup,))


RULE = Rule(
    code="KEY-005",
    text="A file tells of each key once, or twice the same.",
    severity="hold",
    why="Two different stories under one key: only one can be true, and nobody but the owner knows which.",
    remedy="The last line of the key was taken. Ask the owner which is right; discard the held line, or release it.",
    affects="Nothing but the one record.",
    condition=condition,
    examples=(
        Example({"person_id": "7", "surname": "Marlow"}, breaks=False, fields=("person_id",)),
        Example({"person_id": "8", "surname": None}, breaks=False, fields=("person_id",)),
        Example({"person_id": "9", "surname": "Marlow"}, breaks=True, fields=("person_id",)),
        Example({"person_id": "9", "surname": "Harlow"}, breaks=False, fields=("person_id",)),
        Example({"person_id": "9", "surname": "Harlow"}, breaks=False, fields=("person_id",)),
    ),
)
