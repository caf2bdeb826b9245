"""KEY-006: an identifier that stands for nobody is read as missing, and counted (sources 2.3, 11 D85)."""

from expectations.rule import Condition, Example, Place, Rule, Use, any_of, filled, present


def condition(use: Use, _: Place) -> Condition:
    return Condition(any_of([f"{filled(name)} and not {present(name)}" for name in use.names()]))


RULE = Rule(
    code="KEY-006",
    text="An identifier names somebody or something, or is left empty; -1, '-1', 0 and the like are read as missing.",
    severity="info",
    why="Taken for an id, -1 would tie every row that names nobody to one another.",
    remedy="Nothing to do: the field counts as missing, with this code as the reason.",
    affects="Nothing; a sudden rise points at a reference that is no longer sent.",
    condition=condition,
    examples=(
        Example({"referral_id": "52310000017"}, breaks=False, fields=("referral_id",)),
        Example({"referral_id": "-1"}, breaks=True, fields=("referral_id",)),
        Example({"referral_id": "'-1'"}, breaks=True, fields=("referral_id",)),
        Example({"referral_id": " 0 "}, breaks=True, fields=("referral_id",)),
        Example({"referral_id": ""}, breaks=False, fields=("referral_id",)),
    ),
)
