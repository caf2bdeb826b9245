"""TXT-001: a row with a byte outside the declared encoding is held, not stored damaged (F24, CTL-25)."""

from expectations.rule import Condition, Example, Place, Rule, Use


def condition(use: Use, place: Place) -> Condition:
    names = ", ".join(use.names() if use.fields else place.fields)
    return Condition(f"(concat_ws(' ', {names}) ~ '[\\u0080-\\u009F\\uFFFD]')")


_NAMES = ("forename", "surname")

RULE = Rule(
    code="TXT-001",
    text="Every character of the row could be read.",
    severity="hold",
    why="A replaced character in a name breaks linkage for good, and the original letter cannot be won back from it.",
    remedy="Check the encoding of the extract (declared per flow) and send the row again.",
    affects="Linkage; names and addresses shown to staff.",
    condition=condition,
    examples=(
        Example({"forename": "José", "surname": "O’Brien"}, breaks=False, fields=_NAMES),
        Example({"forename": "Jos\ufffd", "surname": "Silva"}, breaks=True, fields=_NAMES),
        Example({"forename": "Jos\u0081", "surname": "Silva"}, breaks=True, fields=_NAMES),
        Example({"forename": None, "surname": None}, breaks=False, fields=_NAMES),
    ),
)
