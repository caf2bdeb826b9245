"""PER-004: a MiCare person number is eight digits with their check letter (sources 6.2); a wrong one is kept."""

from expectations.rule import Condition, Example, Place, Rule, Use, any_of, present


def condition(use: Use, _: Place) -> Condition:
    return Condition(any_of([f"{present(name)} and {_is_wrong(f'btrim({name})')}" for name in use.names()]))


def _is_wrong(number: str) -> str:
    letter = f"landing.micare_check_letter(left({number}, 8))"
    return f"({number} !~ '^[0-9]{{8}}[A-Z]$' or {letter} <> right({number}, 1))"


_NUMBER = ("client_no",)

RULE = Rule(
    code="PER-004",
    text="A person number has eight digits and the check letter that belongs to them.",
    severity="warn",
    why="A wrong letter says that a digit was mistyped: rows that name this person may be another person's.",
    remedy="Look the person up in the source system and correct the number where it was typed.",
    affects="Links between the old care system and the new one.",
    condition=condition,
    examples=(
        Example({"client_no": "00123456J"}, breaks=False, fields=_NUMBER),
        Example({"client_no": "00123457J"}, breaks=True, fields=_NUMBER),
        Example({"client_no": "123456J"}, breaks=True, fields=_NUMBER),
        Example({"client_no": " "}, breaks=False, fields=_NUMBER),
    ),
)
