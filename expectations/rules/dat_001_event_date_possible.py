"""DAT-001: the dates an event is counted by must be dates (F39, F40); nothing is guessed."""

from expectations.moments import is_impossible, style_of
from expectations.rule import Condition, Example, Place, Rule, Use, any_of


def condition(use: Use, _: Place) -> Condition:
    style = style_of(use.option("style"))
    return Condition(any_of([is_impossible(name, style, first="19000101", last="20991231") for name in use.names()]))


RULE = Rule(
    code="DAT-001",
    text="The dates of an event are possible dates in the supplier's style, in the years 1900 to 2099.",
    severity="hold",
    why="An event is counted in the period of its dates; a guessed date puts it into the wrong year.",
    remedy="Correct the date in the source system; the corrected row arrives with the next extract.",
    affects="Counts by period in every return.",
    condition=condition,
    examples=(
        Example({"start_at": "31 Mar 2026 14:53:28"}, breaks=False, fields=("start_at",), options={"style": "dmon"}),
        Example({"start_at": "30 FEB 2026"}, breaks=True, fields=("start_at",), options={"style": "dmon"}),
        Example({"start_at": "29-FEB-2024"}, breaks=False, fields=("start_at",), options={"style": "dmon"}),
        Example({"start_at": "03/31/2026"}, breaks=True, fields=("start_at",), options={"style": "slash"}),
        Example({"start_at": "31/03/2026 09:15:00"}, breaks=False, fields=("start_at",), options={"style": "slash"}),
        Example({"start_at": "2026-03-31 01:02:03.120"}, breaks=False, fields=("start_at",), options={"style": "iso"}),
        Example({"start_at": "46112"}, breaks=True, fields=("start_at",), options={"style": "iso"}),
        Example({"start_at": "0202-03-31"}, breaks=True, fields=("start_at",), options={"style": "iso"}),
        Example({"start_at": None}, breaks=False, fields=("start_at",), options={"style": "iso"}),
    ),
)
