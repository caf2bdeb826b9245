"""TXT-002: control characters are counted; conforming takes them out of what is compared (F26, CTL-25)."""

from expectations.rule import Condition, Example, Place, Rule, Use


def condition(use: Use, place: Place) -> Condition:
    names = ", ".join(use.names() if use.fields else place.fields)
    # Tab and line breaks are legal inside quoted text (sources 2.3).
    return Condition(
        f"(concat_ws(' ', {names}) ~ '[\\u0001-\\u0008\\u000B\\u000C\\u000E-\\u001F\\u007F\\u2028\\u2029]')"
    )


RULE = Rule(
    code="TXT-002",
    text="Text holds no control characters.",
    severity="info",
    why="They come from copying out of other programs and make equal texts look different.",
    remedy="Nothing to do; they are left out when texts are compared.",
    affects="Nothing counted.",
    condition=condition,
    examples=(
        Example({"street": "5 Tree Road,\r\nArdenvale"}, breaks=False, fields=("street",)),
        Example({"street": "5 Tree\u0007 Road"}, breaks=True, fields=("street",)),
    ),
)
