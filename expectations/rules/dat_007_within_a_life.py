"""DAT-007: nothing happens to somebody before the birth or after the death (F41): kept, flagged and counted."""

from expectations.moments import day_of, is_default, style_of
from expectations.rule import Condition, Example, Lookup, Place, Rule, Use
from governance.sql import identifier


def condition(use: Use, place: Place) -> Condition:
    person, event = use.names(), identifier(use.option("event"))
    parent, style, written = identifier(use.option("parent")), style_of(use.option("style")), use.option("person_style")
    lived = [day_of(identifier(use.option(name)), style_of(written)) for name in ("born", "died")]
    dates = ", ".join(f"{day} as {name}" for day, name in zip(lived, ("born", "died"), strict=True))
    key = " || '|' || ".join(f"coalesce({name}, '')" for name in person)
    # Of somebody told of twice the delivery's own word counts.
    told = [
        f"select row_key as key, {dates}, 1 as place from landing.{parent} where known_to is null and not is_removed"
        + place.only_named(key)
    ]
    for table in place.staged.get(parent, ()):
        told.append(f"select row_key, {dates}, 0 from staging.{identifier(table)} where disposition is null")
    query = f"select distinct on (key) key, born, died from ({' union all '.join(told)}) told order by key, place"
    lookup = Lookup(use.alias, query, key, ("born", "died"))
    day = day_of(event, style)
    outside = f"({day} < {use.alias}_born or {day} > {use.alias}_died)"
    return Condition(f"({outside} and not {is_default(event, style)})", (lookup,))


_FIELDS = ("person_id",)
_HOW = {
    "parent": "carefirst__person", "event": "start_at", "born": "date_of_birth", "died": "date_of_death",
    "style": "slash", "person_style": "dmon",
}  # fmt: skip
_LIFE = (("carefirst__person", "4000017", "date_of_birth=09-JUL-1941 date_of_death=03-FEB-2026"),)

RULE = Rule(
    code="DAT-007",
    text="What happens to somebody happens between birth and death.",
    severity="warn",
    why="Either the date is wrong, or the event belongs to somebody else, or nobody closed the case.",
    remedy="Correct the date or the person in the source system; the row is kept as it is until then.",
    affects="Services and assessments active in a period; the quality of links.",
    condition=condition,
    examples=(
        Example({"start_at": "01/04/2025 09:00:00", "person_id": "4000017"}, False, _FIELDS, _HOW, _LIFE),
        Example({"start_at": "03/02/2026 23:00:00", "person_id": "4000017"}, False, _FIELDS, _HOW, _LIFE),
        Example({"start_at": "04/02/2026 09:00:00", "person_id": "4000017"}, True, _FIELDS, _HOW, _LIFE),
        Example({"start_at": "08/07/1941 09:00:00", "person_id": "4000017"}, True, _FIELDS, _HOW, _LIFE),
        Example({"start_at": "01/01/1900 00:00:00", "person_id": "4000017"}, False, _FIELDS, _HOW, _LIFE),
        Example({"start_at": "01/04/1925 09:00:00", "person_id": "4999999"}, False, _FIELDS, _HOW, _LIFE),
        Example({"start_at": None, "person_id": "4000017"}, False, _FIELDS, _HOW, _LIFE),
    ),
)
