"""Works out, for every row at once, whether a condition of the specification holds, does not hold, or cannot be known.

Three answers are needed because a condition on a field that is blank or holds a value outside its list has no answer:
the national report calls that field status -1 (returns 2.5). Nothing in a specification is ever executed as code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from statutory.client_level_data.specification import Condition, FieldSpecification, Specification

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from statutory.client_level_data.return_file import ReturnFile

    Flags = npt.NDArray[np.bool_]

MANDATORY, APPLICABLE, NOT_APPLICABLE, UNDETERMINED = 2, 1, 0, -1


@dataclass(frozen=True)
class Answer:
    """One answer per row; a row that is neither `yes` nor `unknown` is a no."""

    yes: Flags
    unknown: Flags

    @property
    def no(self) -> Flags:
        return ~(self.yes | self.unknown)


class Conditions:
    """Answers conditions for one file; each named condition is worked out once."""

    def __init__(self, specification: Specification, file: ReturnFile) -> None:
        self._specification = specification
        self._file = file
        self._named: dict[str, Answer] = {}

    def field_status(self, entry: FieldSpecification) -> npt.NDArray[np.int8]:
        """Per row 2 mandatory, 1 applicable, 0 not applicable, -1 cannot be determined (returns 2.5)."""
        import numpy as np

        mandatory = self.answer(entry.mandatory)
        applicable = _either([mandatory, self.answer(entry.applicable)])
        status = np.full(len(self._file), UNDETERMINED, dtype=np.int8)
        status[applicable.yes & mandatory.no] = APPLICABLE
        status[applicable.no] = NOT_APPLICABLE
        status[mandatory.yes] = MANDATORY
        return status

    def answer(self, condition: Condition) -> Answer:
        """The answers to `condition` for every row of the file."""
        if isinstance(condition, str):
            if condition not in self._named:
                self._named[condition] = self._answer_named(condition)
            return self._named[condition]
        if "all" in condition:
            parts = [self.answer(part) for part in condition["all"]]
            return _opposite(_either([_opposite(part) for part in parts]))
        if "any" in condition:
            return _either([self.answer(part) for part in condition["any"]])
        if "not" in condition:
            return _opposite(self.answer(condition["not"]))
        if "age_at_period_end" in condition:
            return self._answer_age(condition["age_at_period_end"])
        return self._answer_field(condition)

    def _answer_named(self, name: str) -> Answer:
        import numpy as np

        nobody = np.zeros(len(self._file), dtype=np.bool_)
        if name == "always":
            return Answer(~nobody, nobody)
        if name == "never":
            return Answer(nobody, nobody)
        return self.answer(self._specification.conditions[name])

    def _answer_age(self, band: Mapping[str, int]) -> Answer:
        age = self._file.age_at_period_end
        unknown = age.isna().to_numpy()
        yes = age.between(band["from"], band["to"]).to_numpy()
        return Answer(yes & ~unknown, unknown)

    def _answer_field(self, test: Mapping[str, Any]) -> Answer:
        heading = test["field"]
        values = self._file.text(heading)
        blank = (values == "").to_numpy()
        if "filled" in test:
            yes = ~blank if test["filled"] else blank
            return Answer(yes, blank & False)
        unknown = blank if heading in self._specification.must_be_known else blank & False
        if heading in self._specification.lists:
            unknown = unknown | ~(blank | values.isin(list(self._specification.lists[heading])).to_numpy())
        if "starts_with" in test:
            yes = values.str.startswith(test["starts_with"]).to_numpy(dtype=bool)
        else:
            yes = values.isin(test.get("in", [test.get("is")])).to_numpy()
        return Answer(yes & ~unknown, unknown)


def _either(parts: list[Answer]) -> Answer:
    yes = parts[0].yes
    unknown = parts[0].unknown
    for part in parts[1:]:
        yes = yes | part.yes
        unknown = unknown | part.unknown
    return Answer(yes, unknown & ~yes)


def _opposite(answer: Answer) -> Answer:
    return Answer(answer.no, answer.unknown)
