"""KEY-007: a key that was given out again to somebody else joins nobody by itself: the row waits for a person (F47)."""

from expectations.rule import Condition, Example, Lookup, Place, Rule, Use
from governance.sql import identifier

_LINE = "{0}row_key || '|' || {0}landed_line"


def condition(use: Use, place: Place) -> Condition:
    names = (*use.names(), identifier(use.option("number")), identifier(use.option("born")))
    table = identifier(place.staged.get(place.dataset, (place.dataset,))[-1])
    known = identifier(str(use.options.get("known", place.dataset)))
    changed = " and ".join(f"{_letters('s', name)} <> {_letters('l', name)}" for name in names)
    query = (
        f"select distinct {_LINE.format('s.')} as key from staging.{table} s "
        "join (select * from landing." + known + " where known_to is null and not is_removed"
        f"{place.only_named('row_key')}) l on l.row_key = s.row_key where s.disposition is null and {changed}"
    )
    lookup = Lookup(use.alias, query, _LINE.format(""))
    return Condition(lookup.found, (lookup,))


def _letters(alias: str, name: str) -> str:
    """Letters and digits only, so that another way of writing is no change; null, and so no change, when empty."""
    return f"nullif(upper(regexp_replace({alias}.{name}, '[^[:alnum:]]', '', 'g')), '')"


_NAMES = ("forename", "surname")
_HOW = {"number": "nhs_number", "born": "birth_at", "known": "liquidlogic__person"}
_EDITH = (
    (
        "liquidlogic__person",
        "70001",
        "person_id=70001 forename=Edith surname=Marlow birth_at=1941-07-09 nhs_number=9990000018",
    ),
)


def _row(breaks: bool, key: str = "70001", **told: str | None) -> Example:
    row = {"person_id": key, "forename": "Walter", "surname": "Pym", "birth_at": "1972-08-30"}
    return Example({**row, "nhs_number": "9990000026", **told}, breaks, _NAMES, _HOW, _EDITH)


RULE = Rule(
    code="KEY-007",
    text="A key keeps its person: number, birth date and all names do not change at one time.",
    severity="hold",
    why="The supplier has given the id of one person to another, as migrations do; their care would be mixed up.",
    remedy="Ask the owner who bears the id now. Release the held row for a new bearer, discard it for a mistake.",
    affects="Linkage: until somebody decides, the id stays with the person who had it.",
    condition=condition,
    examples=(
        _row(True),
        _row(False, key="70002"),
        _row(False, surname="marlow "),
        _row(False, nhs_number="999 000 0018"),
        _row(False, birth_at="1941-07-09"),
        _row(False, nhs_number=None),
    ),
)
