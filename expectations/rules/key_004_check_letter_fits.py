"""KEY-004: a client number's check letter fits its digits, once lost zeros are put back (sources 6.2, 11 D92)."""

from expectations.rule import Condition, Example, Place, Rule, Use, any_of, filled


def condition(use: Use, _: Place) -> Condition:
    def wrong(name: str) -> str:
        typed = f"upper(btrim({name}))"
        digits = f"lpad(left({typed}, -1), 8, '0')"
        return f"{filled(name)} and landing.micare_check_letter({digits}) is distinct from right({typed}, 1)"

    return Condition(any_of([wrong(name) for name in use.names()]))


RULE = Rule(
    code="KEY-004",
    text="A client number of the old system ends in the check letter that belongs to its eight digits.",
    severity="hold",
    why="Without the letter a lost or changed digit names another person, and nobody would notice.",
    remedy="Look the number up in the old system and type all nine characters; format the column as text.",
    affects="Links that rest on the old system's numbers.",
    condition=condition,
    examples=(
        Example({"old_id": "00123456J"}, breaks=False, fields=("old_id",)),
        Example({"old_id": "123456j "}, breaks=False, fields=("old_id",)),
        Example({"old_id": "00123465J"}, breaks=True, fields=("old_id",)),
        Example({"old_id": "123456"}, breaks=True, fields=("old_id",)),
        Example({"old_id": "1.23E+05"}, breaks=True, fields=("old_id",)),
        Example({"old_id": None}, breaks=False, fields=("old_id",)),
    ),
)
