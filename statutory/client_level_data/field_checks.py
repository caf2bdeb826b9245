"""The national form of validation: `field_status` and `check` for every field of every row (returns 2.5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statutory.client_level_data.conditions import MANDATORY, NOT_APPLICABLE, Conditions
from statutory.client_level_data.formats import BLANK_ALLOWED, BLANK_MANDATORY, INCONSISTENT, value_check
from statutory.client_level_data.specification import FieldSpecification, Specification

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from statutory.client_level_data.return_file import ReturnFile


@dataclass(frozen=True)
class FieldResult:
    """Both results of one field, one entry per row, and the field's different values (`values[code]` is the row's)."""

    entry: FieldSpecification
    status: npt.NDArray[np.int8]
    check: npt.NDArray[np.int8]
    code: npt.NDArray[np.intp]
    values: tuple[str, ...]

    @property
    def failed(self) -> npt.NDArray[np.bool_]:
        return self.check < 0


def check_fields(file: ReturnFile, specification: Specification) -> Iterator[FieldResult]:
    """Judge the file field by field, in the order of the return."""
    conditions = Conditions(specification, file)
    for entry in specification.fields:
        yield _check_field(entry, file, specification, conditions)


def _check_field(
    entry: FieldSpecification, file: ReturnFile, specification: Specification, conditions: Conditions
) -> FieldResult:
    import numpy as np
    import pandas as pd

    status = conditions.field_status(entry)
    code, different = pd.factorize(file.text(entry.heading))
    judge = value_check(entry, specification, file.facts)
    by_value = np.array([judge(value) if value else BLANK_ALLOWED for value in different], dtype=np.int8)
    check = by_value[code] if len(different) else np.zeros(0, dtype=np.int8)
    blank = (file.text(entry.heading) == "").to_numpy()
    check[blank & (status == MANDATORY)] = BLANK_MANDATORY
    # A value where none belongs is ignored nationally; here it would be a mistake of ours, so it fails.
    check[~blank & (status == NOT_APPLICABLE)] = INCONSISTENT
    return FieldResult(entry, status, check, code, tuple(different))
