"""REQ-003: fields without which a row of a certain kind says nothing that can be used."""

from expectations.rule import Condition, Example, Place, Rule, RuleError, Use, any_of, literal, present
from governance.sql import identifier

_NO_DATE = "'^ *00000000 *$'"


def condition(use: Use, _: Place) -> Condition:
    kinds = use.options.get("kinds")
    if not isinstance(kinds, tuple) or not kinds:
        raise RuleError(f"{use.rule} needs the option 'kinds', a list")
    listed = ", ".join(literal(kind.upper()) for kind in kinds)
    lacking = any_of([f"(not {present(name)} or {name} ~ {_NO_DATE})" for name in use.names()])
    return Condition(f"(upper(btrim({identifier(use.option('kind'))})) in ({listed}) and {lacking})")


_FIELDS = ("opened",)
_KINDS: dict[str, str | tuple[str, ...]] = {"kind": "episode_type", "kinds": ("REF", "DOLS")}

RULE = Rule(
    code="REQ-003",
    text="The fields a row of its kind cannot do without are filled; 00000000 is no date.",
    severity="hold",
    why="An event without a start date cannot be counted in any period; other kinds of row do without it.",
    remedy="Complete the record in the source system; the corrected row arrives with the next extract.",
    affects="Counts of the events in the table.",
    condition=condition,
    examples=(
        Example({"episode_type": "REF", "opened": "01042025"}, False, _FIELDS, _KINDS),
        Example({"episode_type": "ref ", "opened": "00000000"}, True, _FIELDS, _KINDS),
        Example({"episode_type": "ACCOM", "opened": "00000000"}, False, _FIELDS, _KINDS),
        Example({"episode_type": "DOLS", "opened": None}, True, _FIELDS, _KINDS),
    ),
)
